import { Component, type ComponentChildren } from 'preact';

/**
 * A table that stays one to a screen reader also where it is laid out as cards: on a narrow screen every cell carries its
 * column's name, and the roles are spelled out because `display` would take them away.
 */
export interface Column<Row> {
  readonly head: string;
  /** Said on pointing at the head: what the figure counts. */
  readonly hint?: string;
  readonly isNumber?: boolean;
  /** Left out where a row is a card: its own page tells it. */
  readonly isDetail?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
  /** In the last line. */
  readonly total?: ComponentChildren;
}

export interface TableProps<Row> {
  readonly caption: ComponentChildren;
  /** For the eyes, the section's heading says it already. */
  readonly isCaptionHidden?: boolean;
  /** The first names the row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly rowClass?: (row: Row) => string;
  /** Few columns and short words: never laid out as cards. */
  readonly isSmall?: boolean;
  /** Said where there are no rows: what to do about it. */
  readonly empty: ComponentChildren;
}

export function Table<Row>({
  caption,
  isCaptionHidden,
  columns,
  rows,
  keyOf,
  rowClass,
  isSmall,
  empty,
}: TableProps<Row>) {
  if (rows.length === 0) {
    return (
      <>
        {!isCaptionHidden && <p class="caption">{caption}</p>}
        <p class="empty">{empty}</p>
      </>
    );
  }
  const hasTotal = columns.some(({ total }) => total !== undefined);
  return (
    <table role="table" class={isSmall ? 'small' : 'wide'}>
      <caption class={isCaptionHidden ? 'unseen' : ''}>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.head} role="columnheader" scope="col" class={classOf(column)} title={column.hint}>
              {column.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <TableRow key={keyOf(row)} columns={columns} row={row} name={rowClass?.(row) ?? ''} />
        ))}
      </tbody>
      {hasTotal && <TotalRow columns={columns} />}
    </table>
  );
}

interface TableRowProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly row: Row;
  readonly name: string;
}

/** Drawn only when its row or the columns are others: hundreds of finished requests cost nothing while they stand. */
class TableRow<Row> extends Component<TableRowProps<Row>> {
  override shouldComponentUpdate(next: TableRowProps<Row>): boolean {
    const { columns, row, name } = this.props;
    return next.row !== row || next.columns !== columns || next.name !== name;
  }

  override render({ columns, row, name }: TableRowProps<Row>) {
    return (
      <tr role="row" class={name}>
        {columns.map((column, at) => (
          <Cell key={column.head} column={column} isFirst={at === 0}>
            {column.cell(row)}
          </Cell>
        ))}
      </tr>
    );
  }
}

function TotalRow<Row>({ columns }: Pick<TableProps<Row>, 'columns'>) {
  return (
    <tfoot role="rowgroup">
      <tr role="row">
        {columns.map((column, at) => (
          <Cell key={column.head} column={column} isFirst={at === 0}>
            {column.total}
          </Cell>
        ))}
      </tr>
    </tfoot>
  );
}

interface CellProps<Row> {
  readonly column: Column<Row>;
  readonly isFirst: boolean;
  readonly children: ComponentChildren;
}

function Cell<Row>({ column, isFirst, children }: CellProps<Row>) {
  return isFirst ? (
    <th role="rowheader" scope="row">
      {children}
    </th>
  ) : (
    <td role="cell" data-label={column.head} class={classOf(column)}>
      <span>{children}</span>
    </td>
  );
}

function classOf({ isNumber, isDetail }: Pick<Column<unknown>, 'isNumber' | 'isDetail'>): string {
  return `${isNumber ? 'number' : ''}${isDetail ? ' detail' : ''}`;
}
