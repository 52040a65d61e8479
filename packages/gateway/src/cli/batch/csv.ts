import { isObject } from '@onetake/core';
import { parse } from 'csv-parse/sync';
import { readFormFields } from '../../http/image-wire.ts';
import { CliError, EXIT, messageOf } from '../exit.ts';
import type { InputLine } from './line.ts';

interface Row {
  readonly record: readonly string[];
  /** Lines of the file up to the end of this record. */
  readonly info: { readonly lines: number };
}

/**
 * The rows of a CSV file (RFC 4180) with a header row: a column per field of a request, one of them `prompt`;
 * `onetake[payment]` is a control. An empty cell is a field left out. Numbers are read as such where a request has
 * numbers. Throws for a file that cannot be told apart into rows.
 */
export function readCsv(text: string, name: string): readonly InputLine[] {
  const [header, ...rows] = parseRows(text, name);
  const columns = (header?.record ?? []).map((cell) => cell.trim());
  const twice = columns.find((column, index) => column !== '' && columns.indexOf(column) !== index);
  if (twice !== undefined) throw wrong(name, `two columns are named "${twice}"; rename one`);
  if (!columns.includes('prompt'))
    throw wrong(
      name,
      `its first row has no column "prompt" (it has ${columns.slice(0, 20).join(', ')}); add a header row`,
    );
  let end = header?.info.lines ?? 1;
  const lines: InputLine[] = [];
  for (const { record, info } of rows) {
    const line = end + 1;
    end = info.lines;
    if (record.every((cell) => cell.trim() === '')) continue;
    lines.push({ line, ...readRow(columns, record) });
  }
  return lines;
}

function parseRows(text: string, name: string): readonly Row[] {
  try {
    return parse(text.replaceAll('\r\n', '\n'), {
      bom: true,
      info: true,
      relax_column_count: true,
    }) as unknown as readonly Row[];
  } catch (error) {
    throw wrong(
      name,
      `it cannot be read as CSV: ${messageOf(error)}; put texts with commas, quotes or line ends in quotes`,
    );
  }
}

function readRow(columns: readonly string[], record: readonly string[]): Omit<InputLine, 'line'> {
  const cells = record.map((cell, index) => [columns[index] ?? '', cell] as const).filter(([, cell]) => cell !== '');
  const nameless = cells.find(([column]) => column === '');
  const fields = new Map(cells.filter(([column]) => column !== ''));
  try {
    const input = readFormFields(fields);
    if (nameless === undefined) return { input };
    const message = `the cell "${nameless[1].slice(0, 60)}" stands in no named column; put texts with commas in quotes`;
    return { input, problem: { code: 'invalid_line', message } };
  } catch (error) {
    const input = Object.fromEntries(fields);
    return { input: isObject(input) ? input : {}, problem: { code: 'invalid_line', message: messageOf(error) } };
  }
}

function wrong(name: string, what: string): CliError {
  return new CliError(`${name}: ${what}`, EXIT.usage);
}
