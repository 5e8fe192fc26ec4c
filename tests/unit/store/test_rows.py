"""Rows of every noun: what they promise about conflicts and about all or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from windlass.base.errors import NotFound
from windlass.store.containers import ContainerRow, ContainerRows, NameInUse
from windlass.store.database import Database, open_database
from windlass.store.errors import StoreRefused
from windlass.store.images import ImageRow, ImageRows, LayerBlobRow, LayerRow, RefRow
from windlass.store.leases import Leases
from windlass.store.networks import EndpointRow, NetworkNameInUse, NetworkRow, NetworkRows
from windlass.store.volumes import VolumeRow, VolumeRows

IMAGE = ImageRow("sha256:i", "sha256:m", 10, 5)
LAYER, BLOB = LayerRow("sha256:d", "aaaaaaaa", 10), LayerBlobRow("sha256:b", "sha256:d", 4)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(str(tmp_path / "meta.sqlite"))
    yield database
    await database.close()


def _container(container_id: str, name: str) -> ContainerRow:
    return ContainerRow(container_id, name, "sha256:i", b"{}", b"{}")


async def test_containers_are_added_changed_and_deleted(database: Database) -> None:
    rows = ContainerRows(database)
    await rows.add(_container("1", "one"))
    await rows.set_state("1", b"running")
    await rows.rename("1", "uno", b"intent")
    assert await rows.get("1") == ContainerRow("1", "uno", "sha256:i", b"intent", b"running")
    await rows.delete("1")
    await rows.delete("1")
    assert await rows.all() == []
    with pytest.raises(NotFound, match="No such container: 1"):
        await rows.get("1")


async def test_a_containers_name_is_its_own(database: Database) -> None:
    rows = ContainerRows(database)
    await rows.add(_container("1", "one"))
    await rows.add(_container("2", "two"))
    with pytest.raises(NameInUse) as raised:
        await rows.add(_container("3", "one"))
    assert raised.value.message == (
        'Conflict. The container name "/one" is already in use by container "1". '
        "You have to remove (or rename) that container to be able to reuse that name."
    )
    with pytest.raises(NameInUse):
        await rows.rename("2", "one")
    await rows.rename("2", "two")
    assert {row.name for row in await rows.all()} == {"one", "two"}


async def test_an_image_is_recorded_with_its_names_and_layers_or_not_at_all(database: Database) -> None:
    rows = ImageRows(database)
    with pytest.raises(StoreRefused):
        await rows.put(IMAGE, ["sha256:missing"], [RefRow("a", IMAGE.id, 1)])
    everything = await rows.load()
    assert not everything.images
    assert not everything.refs
    await rows.add_layer(LAYER, BLOB)
    await rows.put(IMAGE, [LAYER.diff_id], [RefRow("a", IMAGE.id, 1)])
    everything = await rows.load()
    assert everything.images == [IMAGE]
    assert everything.image_layers == {IMAGE.id: (LAYER.diff_id,)}


async def test_a_layer_made_twice_keeps_its_first_directory(database: Database) -> None:
    rows = ImageRows(database)
    assert await rows.add_layer(LAYER, BLOB) == LAYER
    other = LayerBlobRow("sha256:c", LAYER.diff_id, 3)
    assert await rows.add_layer(LayerRow(LAYER.diff_id, "bbbbbbbb", 10), other) == LAYER
    assert {blob.digest for blob in (await rows.load()).layer_blobs} == {BLOB.digest, other.digest}


async def test_a_name_moves_to_the_image_it_was_last_given(database: Database) -> None:
    rows = ImageRows(database)
    other = ImageRow("sha256:j", "sha256:n", 1, 1)
    await rows.put(IMAGE, [], [RefRow("a", IMAGE.id, 1)])
    await rows.put(other, [], [RefRow("a", other.id, 2)])
    await rows.put_refs([RefRow("b", IMAGE.id, 3)], tagged_ns=7)
    everything = await rows.load()
    assert {(ref.name, ref.image_id) for ref in everything.refs} == {("a", other.id), ("b", IMAGE.id)}
    assert {image.id: image.tagged_ns for image in everything.images} == {IMAGE.id: 7, other.id: 0}


async def test_only_layers_that_nothing_holds_are_forgotten(database: Database) -> None:
    rows, leases = ImageRows(database), Leases(database)
    held, unused = LayerRow("sha256:held", "cccccccc", 1), LayerRow("sha256:unused", "dddddddd", 1)
    for layer in (LAYER, held, unused):
        await rows.add_layer(layer, LayerBlobRow(f"blob-of-{layer.diff_id}", layer.diff_id, 1))
    await rows.put(IMAGE, [LAYER.diff_id])
    await leases.hold("op", "layer", [held.diff_id])
    assert await rows.forget_unused_layers() == [unused]
    await leases.release("op")
    assert await rows.forget_unused_layers() == [held]
    assert [blob.diff_id for blob in (await rows.load()).layer_blobs] == [LAYER.diff_id]


async def test_a_retired_image_goes_with_its_last_container(database: Database) -> None:
    images, containers = ImageRows(database), ContainerRows(database)
    await images.put(IMAGE, [], [RefRow("a", IMAGE.id, 1)])
    await containers.add(_container("1", "one"))
    await images.remove((), IMAGE.id, retire=True)
    assert not (await images.load()).refs
    assert await images.forget_retired() == []
    await containers.delete("1")
    assert await images.forget_retired() == [IMAGE.id]


async def test_images_that_a_power_cut_caught_are_dropped(database: Database) -> None:
    rows = ImageRows(database)
    await rows.add_layer(LayerRow("sha256:new", "eeeeeeee", 1, boot="this"), LayerBlobRow("b1", "sha256:new", 1))
    await rows.add_layer(LayerRow("sha256:old", "ffffffff", 1, boot="last"), LayerBlobRow("b2", "sha256:old", 1))
    await rows.put(IMAGE, ["sha256:new"])
    await rows.put(ImageRow("sha256:j", "sha256:n", 1, 1), ["sha256:old"])
    assert await rows.forget_unsettled("this") == ["sha256:j"]
    await rows.mark_settled(["sha256:new"])
    assert await rows.forget_unsettled("next") == []


async def test_leases_are_released_by_owner_and_by_age(database: Database) -> None:
    leases = Leases(database)
    await leases.hold("a", "blob", ["x", "y"])
    await leases.hold("b", "blob", ["y"])
    await leases.release("a")
    assert await leases.held("blob") == {"y"}
    await database.write(lambda c: c.execute("UPDATE leases SET expires_ns = 1"))
    await leases.release_expired()
    assert await leases.held("blob") == set()


async def test_a_networks_endpoints_go_with_it(database: Database) -> None:
    rows = NetworkRows(database)
    await rows.put(NetworkRow("n", "net", b"1"))
    await rows.put(NetworkRow("n", "net", b"2"))
    with pytest.raises(NetworkNameInUse, match="network with name net already exists"):
        await rows.put(NetworkRow("m", "net", b""))
    await rows.put_endpoint(EndpointRow("e", "n", "c", b""))
    await rows.put_endpoint(EndpointRow("f", "n", "d", b""))
    await rows.delete_endpoints("c")
    assert [endpoint.id for endpoint in await rows.all_endpoints()] == ["f"]
    await rows.delete("n")
    assert await rows.all_endpoints() == []


async def test_volumes(database: Database) -> None:
    rows = VolumeRows(database)
    await rows.put(VolumeRow("v", b"1"))
    await rows.put(VolumeRow("v", b"2"))
    assert await rows.all() == [VolumeRow("v", b"2")]
    await rows.delete("v")
    assert await rows.all() == []
