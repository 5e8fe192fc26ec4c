"""The tables of the metadata file, and how an older file becomes a newer one.

    images ──< refs                 a name points at one image; an image has any number of names
      │
      └────< image_layers >── layers        position 0 is the bottom; a layer is one unpacked directory
      │                         │
      │                         └──< layer_blobs    the tar archives that unpack to it
      │
      └────  containers.image_id    (no constraint: it is the engine's word)

    networks, endpoints, volumes    opaque documents of the engine
    leases                          what must not be swept although nothing points at it yet

A layer is keyed by the digest of its uncompressed tar and not by its chain id: overlay directories do not depend on
what lies below them, so that two images with the same layer over different parents share one directory. The chain id
is computed where it is shown.

`images.retired`: removed by force while a container used it. No name or id finds it any more; it goes with the
container. `layers.boot`: the boot id of the machine while the layer's files may not be on the disk yet, empty once they
are; a layer that a later boot finds with another id was caught by a power cut and is not to be trusted. Times are
nanoseconds since the epoch, sizes bytes.

A change to the schema is a new entry at the end of MIGRATIONS, never an edit of an earlier one.
"""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE images (
        id              TEXT PRIMARY KEY,
        manifest_digest TEXT NOT NULL,
        parent          TEXT NOT NULL DEFAULT '',
        size_bytes      INTEGER NOT NULL,
        created_ns      INTEGER NOT NULL,
        tagged_ns       INTEGER NOT NULL DEFAULT 0,
        retired         INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;

    CREATE TABLE refs (
        name      TEXT PRIMARY KEY,
        image_id  TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
        made_ns   INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX refs_by_image ON refs(image_id);

    CREATE TABLE layers (
        diff_id    TEXT PRIMARY KEY,
        short      TEXT NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL,
        boot       TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID;

    CREATE TABLE layer_blobs (
        digest     TEXT PRIMARY KEY,
        diff_id    TEXT NOT NULL REFERENCES layers(diff_id) ON DELETE CASCADE,
        size_bytes INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX layer_blobs_by_diff ON layer_blobs(diff_id);

    CREATE TABLE image_layers (
        image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        diff_id  TEXT NOT NULL REFERENCES layers(diff_id),
        PRIMARY KEY (image_id, position)
    ) WITHOUT ROWID;
    CREATE INDEX image_layers_by_diff ON image_layers(diff_id);

    CREATE TABLE containers (
        id       TEXT PRIMARY KEY,
        name     TEXT NOT NULL UNIQUE,
        image_id TEXT NOT NULL,
        intent   BLOB NOT NULL,
        state    BLOB NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE networks (
        id       TEXT PRIMARY KEY,
        name     TEXT NOT NULL UNIQUE,
        document BLOB NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE endpoints (
        id           TEXT PRIMARY KEY,
        network_id   TEXT NOT NULL REFERENCES networks(id) ON DELETE CASCADE,
        container_id TEXT NOT NULL,
        document     BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX endpoints_by_network ON endpoints(network_id);
    CREATE INDEX endpoints_by_container ON endpoints(container_id);

    CREATE TABLE volumes (
        name     TEXT PRIMARY KEY,
        document BLOB NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE leases (
        owner      TEXT NOT NULL,
        kind       TEXT NOT NULL CHECK (kind IN ('blob', 'layer')),
        key        TEXT NOT NULL,
        expires_ns INTEGER NOT NULL,
        PRIMARY KEY (owner, kind, key)
    ) WITHOUT ROWID;
    """,
)
