/** Pictures that need no file of their own. A table with rows of its own, so that the bytes stay out of the index. */
export const pictures = `
  CREATE TABLE pictures (
    number INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    type TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (hash, type)
  ) STRICT;
`;
