"""Writing limits: which file of which controller gets which text, and what happens when the kernel says no."""

from __future__ import annotations

import errno
import os

from windlass.cgroups import control
from windlass.cgroups.model import CgroupError, MissingLimit
from windlass.spec import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from windlass.cgroups.journal import Journal

    # From a controller to the group's directory in its hierarchy, empty when it is not mounted.
    Locate = Callable[[str], str]


class Setting(struct.Struct, frozen=True):
    """One value of `field` (a JSON pointer below /linux/resources) for `controller`.

    `choices` are (file, text): each file that exists gets its text, and one of them must exist unless `optional`, which
    says that without the file things are as wanted anyway. Without choices, the controller has nothing of the kind.
    Settings in a row with the same `batch` depend on each other and are written in the order that the kernel takes.
    `may_be_ignored` is a limit that newer kernels take and forget: it counts only if it can be read back.
    """

    controller: str
    field: str
    choices: tuple[tuple[str, str], ...]
    optional: bool = False
    batch: str = ""
    may_be_ignored: bool = False


def one(controller: str, field: str, file: str, value: object, *, optional: bool = False, batch: str = "") -> Setting:
    """Return the setting of one file."""
    return Setting(controller, field, ((file, str(value)),), optional, batch)


def impossible(controller: str, field: str) -> Setting:
    """Return a setting for which this version of cgroups has no file."""
    return Setting(controller, field, ())


def write_settings(settings: Iterable[Setting], locate: Locate, journal: Journal | None = None) -> list[MissingLimit]:
    """Write all settings and return those for which there was no file; `journal` is told of each write beforehand.

    Raises:
        CgroupError: the kernel refused a value, or the group is gone.
    """
    missing: list[Setting] = []
    for batch in _batches(settings):
        missing += _write_batch(batch, locate, journal)
    return [_explain(setting, locate(setting.controller)) for setting in missing if not setting.optional]


def _batches(settings: Iterable[Setting]) -> Iterator[list[Setting]]:
    batch: list[Setting] = []
    for setting in settings:
        if batch and (not setting.batch or setting.batch != batch[0].batch):
            yield batch
            batch = []
        batch.append(setting)
    if batch:
        yield batch


def _write_batch(batch: list[Setting], locate: Locate, journal: Journal | None) -> list[Setting]:
    """Write again and again what was refused, for as long as one of the others was taken meanwhile.

    A quota may be too small for the burst that is there, a memory limit too large for the sum with swap that is there;
    which one must move first depends on all of them, on the parents' and on the children's values.
    """
    missing = []
    pending = batch
    while pending:
        refused: list[Setting] = []
        failure: CgroupError | None = None
        for setting in pending:
            try:
                if not _write_one(setting, locate(setting.controller), journal):
                    missing.append(setting)
            except CgroupError as error:
                if error.errno != errno.EINVAL:
                    raise
                refused.append(setting)
                failure = failure or error
        if failure is not None and len(refused) == len(pending):
            raise failure
        pending = refused
    return missing


def _write_one(setting: Setting, directory: str, journal: Journal | None) -> bool:
    """Write to all files that exist; False when there was none. Of several, one has to take the value."""
    if not directory:
        return False
    written = False
    unsupported: CgroupError | None = None
    for file, text in setting.choices:
        path = f"{directory}/{file}"
        if journal is not None:
            journal.note(path, text)
        try:
            control.write(path, text)
        except CgroupError as error:
            if error.errno == errno.EOPNOTSUPP:
                # A device's weight where both BFQ and io.cost are: each file refuses the devices of the other.
                unsupported = unsupported or error
            elif error.errno != errno.ENOENT:
                raise
            continue
        written = not setting.may_be_ignored or control.read_int(path) <= int(text)
    if unsupported is not None and not written:
        raise unsupported
    return written


def _explain(setting: Setting, directory: str) -> MissingLimit:
    if not directory:
        reason = f"the {setting.controller} controller is not available"
    elif not os.path.isdir(directory):
        raise CgroupError(f"the control group {directory} is gone")
    elif not setting.choices:
        reason = f"the {setting.controller} controller of this version of cgroups has no such limit"
    elif setting.may_be_ignored and os.path.exists(f"{directory}/{setting.choices[0][0]}"):
        reason = f"this kernel ignores {setting.choices[0][0]}"
    else:
        files = " or ".join(dict.fromkeys(file for file, _ in setting.choices))
        reason = f"there is no {files} in {directory}"
    return MissingLimit(setting.controller, setting.field, reason)
