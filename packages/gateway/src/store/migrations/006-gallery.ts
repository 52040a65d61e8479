/**
 * What was handed over, in the order of the gallery: the newest generation first, and of one generation its pictures in
 * order, for which `behind` is their index made negative. What is searched stands apart from plans, short and together,
 * for a search reads many. Of generations that were there before, both are filled in from plan and journal; who takes the
 * steps provides `search_text`.
 */
export const gallery = `
  ALTER TABLE generations ADD COLUMN candidates TEXT;

  CREATE TABLE search_texts (
    generation INTEGER PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT;
  INSERT INTO search_texts SELECT generation, search_text(prompt) FROM plans;

  CREATE TABLE delivered (
    generation INTEGER NOT NULL,
    behind INTEGER NOT NULL,
    caller TEXT NOT NULL,
    hash TEXT NOT NULL,
    type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    PRIMARY KEY (generation, behind)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO delivered
    SELECT number, 1 - row_number() OVER (PARTITION BY number ORDER BY run, nth), caller,
      asset ->> 'hash', asset ->> 'type', asset ->> 'bytes', asset ->> 'width', asset ->> 'height'
    FROM (
      SELECT g.number, g.caller, e.run, i.key AS nth, i.value -> 'asset' AS asset
      FROM generations g JOIN events e ON e.generation = g.number JOIN json_each(e.event, '$.outcome.images') i
      WHERE g.status = 'completed' AND g.chat IS NULL
        AND e.event LIKE '%"type":"finished"%' AND e.event ->> 'type' = 'finished'
    ) WHERE asset IS NOT NULL;
  CREATE INDEX delivered_by_caller ON delivered (caller, generation, behind);

  CREATE TABLE marks (
    caller TEXT NOT NULL,
    hash TEXT NOT NULL,
    mark TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (caller, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX marks_by_hash ON marks (hash);
`;
