/**
 * The API's errors as values (docs: errors). A refusal travels from where it is decided to app.ts, which alone turns it
 * into a response with the request's id.
 */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'api_error'
  | 'timeout_error'
  | 'overloaded_error';

export interface ApiRefusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly type: ErrorType;
  readonly message: string;
  /** `error.details.error_code`, where the API has one. */
  readonly errorCode?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TYPE_OF_STATUS: Readonly<Record<number, ErrorType>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export function refuse(
  status: number,
  message: string,
  rest: Pick<ApiRefusal, 'errorCode' | 'headers'> = {},
): ApiRefusal {
  return { kind: 'refused', status, type: errorTypeOf(status), message, ...rest };
}

export function invalid(message: string, errorCode?: string): ApiRefusal {
  return refuse(400, message, errorCode === undefined ? {} : { errorCode });
}

export function errorTypeOf(status: number): ErrorType {
  return TYPE_OF_STATUS[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

export function errorBody(refusal: Pick<ApiRefusal, 'type' | 'message' | 'errorCode'>, requestId: string) {
  const details = refusal.errorCode === undefined ? {} : { details: { error_code: refusal.errorCode } };
  return { type: 'error', error: { type: refusal.type, message: refusal.message, ...details }, request_id: requestId };
}
