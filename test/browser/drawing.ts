import type { Locator } from 'playwright-core';

/** What is on a canvas, pixel by pixel. */
export interface Drawing {
  readonly drawnPixels: number;
  /** Different opaque colours: axes and grid alone have one or two. */
  readonly colors: number;
  /** Of all pixels: two that differ look different. */
  readonly fingerprint: number;
}

/** As much of the browser as is used here: the types of tests are those of Node. */
interface Canvas {
  readonly width: number;
  readonly height: number;
}
declare const OffscreenCanvas: new (
  width: number,
  height: number,
) => {
  getContext(
    kind: '2d',
    options: { willReadFrequently: boolean },
  ): {
    drawImage(image: Canvas, x: number, y: number): void;
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
};

export function drawnIn(canvases: Locator): Promise<Drawing[]> {
  return canvases.evaluateAll((found) => {
    // This runs in the page: nothing of this file is in reach. A copy is read, so that Chromium has nothing to warn of.
    return (found as unknown as Canvas[]).map((canvas) => {
      const { width, height } = canvas;
      const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, width, height);
      const colors = new Set<number>();
      let [drawnPixels, fingerprint] = [0, 0];
      for (let at = 0; at < data.length; at += 4) {
        const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(at, at + 4);
        if (alpha === 0) continue;
        const color = red * 65_536 + green * 256 + blue;
        drawnPixels++;
        if (alpha === 255) colors.add(color);
        fingerprint = (Math.imul(fingerprint, 31) + color + at) | 0;
      }
      return { drawnPixels, colors: colors.size, fingerprint };
    });
  });
}
