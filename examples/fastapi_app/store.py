"""The shelves of the seed library: SQLite in memory, with a few varieties to begin with."""

import sqlite3

from models import Variety

SCHEMA = """
CREATE TABLE variety (slug TEXT PRIMARY KEY, name TEXT, species TEXT, sow_in INT, packets INT CHECK (packets >= 0));
CREATE TABLE photo (slug TEXT PRIMARY KEY REFERENCES variety, media_type TEXT, data BLOB);
CREATE TABLE packing (line TEXT);
INSERT INTO variety VALUES
    ('brandywine', 'Brandywine', 'tomato', 3, 12),
    ('noir-de-crimee', 'Noir de Crimée', 'tomato', 3, 3),
    ('crimson-flowered', 'Crimson Flowered', 'broad bean', 11, 7);
"""

# A filter that is not given is NULL, and lets everything through.
SEARCH = "SELECT * FROM variety WHERE ifnull(species = ?, TRUE) AND ifnull(sow_in = ?, TRUE) ORDER BY slug LIMIT ?"


class SeedError(Exception):
    """The library cannot do what was requested; `status` is the HTTP status."""

    status = 400


class NotOnShelfError(SeedError):
    status = 404


class NotEnoughError(SeedError):
    status = 409


class SeedStore:
    """None of this is `async`: each call takes microseconds."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def put(self, variety: Variety) -> None:
        values = variety.model_dump()
        self._db.execute("INSERT OR REPLACE INTO variety VALUES (:slug, :name, :species, :sow_in, :packets)", values)

    def get(self, slug: str) -> Variety:
        row = self._db.execute("SELECT * FROM variety WHERE slug = ?", [slug]).fetchone()
        if row is None:
            raise NotOnShelfError(f"There is no variety {slug!r}.")
        return Variety(**row)

    def search(self, species: str | None = None, month: int | None = None, limit: int = -1) -> list[Variety]:
        return [Variety(**row) for row in self._db.execute(SEARCH, [species, month, limit])]

    def move(self, slug: str, packets: int) -> Variety:
        """Put packets on the shelf, or take them off when the number is negative."""
        before = self.get(slug)
        try:
            self._db.execute("UPDATE variety SET packets = packets + ? WHERE slug = ?", [packets, slug])
        except sqlite3.IntegrityError as error:
            raise NotEnoughError(f"There are only {before.packets} packets of {before.name}.") from error
        return self.get(slug)

    def put_photo(self, slug: str, media_type: str, data: bytes) -> None:
        self.get(slug)
        self._db.execute("INSERT OR REPLACE INTO photo VALUES (?, ?, ?)", [slug, media_type, data])

    def get_photo(self, slug: str) -> tuple[str, bytes]:
        row = self._db.execute("SELECT media_type, data FROM photo WHERE slug = ?", [slug]).fetchone()
        if row is None:
            raise NotOnShelfError(f"There is no photo of {slug!r}.")
        return row["media_type"], row["data"]

    def pack(self, line: str) -> None:
        self._db.execute("INSERT INTO packing VALUES (?)", [line])

    def packing_list(self) -> list[str]:
        return [row["line"] for row in self._db.execute("SELECT line FROM packing ORDER BY rowid")]

    def backup(self) -> bytes:
        """The whole database, as the bytes of an SQLite file."""
        return self._db.serialize()
