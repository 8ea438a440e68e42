import { checkOptions, isPlainObject } from '../check.ts';
import { invalidType, invalidValue } from '../errors.ts';

/** The fields of a layer's plain data besides its type, which must be `type`; the fields' values are not looked at. */
export function readLayerJSON(
  json: unknown,
  type: string,
  fields: readonly string[],
): Record<string, unknown> {
  if (!isPlainObject(json)) throw invalidType('a plain object', 'json', json);
  const { type: name, ...rest } = json;
  if (name !== type) throw invalidValue(`'${type}'`, 'json.type', name);
  checkOptions(rest, 'json', fields);
  return rest;
}
