/**
 * JSON text without its escapes of backslashes and of characters by number: PostgreSQL reads no JSON with U+0000 or half
 * of a pair in it.
 */
function withoutEscapes(json: string): string {
  return `replace(replace(${json}, '\\\\', ''), '\\u', '')`;
}

/**
 * What was handed over, in the order of the gallery: the newest generation first, and of one generation its pictures in
 * order, for which `behind` is their index made negative. What is searched stands apart from plans, short and together,
 * for a search reads many. Of generations that were there before, both are filled in from plan and journal.
 */
export const gallery = `
  ALTER TABLE generations ADD COLUMN candidates text;

  CREATE TABLE search_texts (
    generation bigint PRIMARY KEY,
    text text COLLATE "C" NOT NULL
  );
  INSERT INTO search_texts
    SELECT generation, lower(left(told, 2000) COLLATE "default") FROM (
      SELECT generation, (CASE WHEN prompt LIKE '%\\\\u%' THEN ${withoutEscapes('prompt')} ELSE prompt END)::json #>> '{}' AS told
      FROM plans
    ) prompts;

  CREATE TABLE delivered (
    generation bigint NOT NULL,
    behind integer NOT NULL,
    caller text COLLATE "C" NOT NULL,
    hash text COLLATE "C" NOT NULL,
    type text NOT NULL,
    bytes bigint NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    PRIMARY KEY (generation, behind)
  );
  INSERT INTO delivered
    SELECT number, 1 - row_number() OVER (PARTITION BY number ORDER BY run, nth), caller, asset ->> 'hash',
      asset ->> 'type', (asset ->> 'bytes')::bigint, (asset ->> 'width')::integer, (asset ->> 'height')::integer
    FROM (
      SELECT g.number, g.caller, e.run, i.nth, i.image -> 'asset' AS asset
      FROM generations g JOIN events e ON e.generation = g.number AND e.event LIKE '%"type":"finished"%'
      CROSS JOIN LATERAL (SELECT ${withoutEscapes('e.event')}::json AS event) plain
      CROSS JOIN LATERAL json_array_elements(
        CASE WHEN plain.event ->> 'type' = 'finished' THEN plain.event -> 'outcome' -> 'images' END
      ) WITH ORDINALITY AS i (image, nth)
      WHERE g.status = 'completed' AND g.chat IS NULL
    ) made WHERE asset IS NOT NULL;
  CREATE INDEX delivered_by_caller ON delivered (caller, generation, behind);

  CREATE TABLE marks (
    caller text COLLATE "C" NOT NULL,
    hash text COLLATE "C" NOT NULL,
    mark text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (caller, hash)
  );
  CREATE INDEX marks_by_hash ON marks (hash);
`;
