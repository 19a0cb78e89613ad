"""Checkpoint files, read without running the code that they may contain."""

import io
import pickle
import sys
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

TRUST_HINT = (
    'if you trust the file, pass --trust-checkpoint to a tool that has this '
    'option (trust=True in Python)'
)
"""What an error says if loading a file could run code."""

_DTYPES = {k: v for k, v in vars(torch).items() if isinstance(v, torch.dtype)}
_STORAGES = dict(
    BFloat16Storage=torch.bfloat16,
    BoolStorage=torch.bool,
    ByteStorage=torch.uint8,
    CharStorage=torch.int8,
    DoubleStorage=torch.float64,
    FloatStorage=torch.float32,
    HalfStorage=torch.float16,
    IntStorage=torch.int32,
    LongStorage=torch.int64,
    ShortStorage=torch.int16,
)


def read_checkpoint(path: str | Path, trust: bool = False) -> object:
    """The content of a file that ``torch.save`` wrote, on the CPU.

    A checkpoint is a pickle, which can run any code when it is loaded.
    Therefore it is first loaded with ``weights_only=True``. That refuses
    mmengine's training checkpoints, because of log buffers and numpy scalars
    beside the weights. Those are read by :class:`_Unpickler`, which builds
    tensors and plain containers only and puts an inert placeholder in place
    of every other object. It reads torch's zip format, the default since
    torch 1.6, with no loader of torch: the loader of the older format writes
    files if a checkpoint asks for it.

    Args:
        path: The file.
        trust: Load everything in it, with ``weights_only=False``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or no checkpoint, or it can only be
            loaded with ``trust``.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such checkpoint')
    try:
        if trust:
            return torch.load(path, 'cpu', weights_only=False)
        # Before version 2.6 torch runs code in tar files in spite of
        # weights_only=True (CVE-2025-32434).
        if tarfile.is_tarfile(path) or _is_torchscript(path):
            raise pickle.UnpicklingError
        try:
            return torch.load(path, 'cpu', weights_only=True)
        except pickle.UnpicklingError:
            if not zipfile.is_zipfile(path):
                raise
            return _read_inert(path)
    except pickle.UnpicklingError:
        # torch's own message advises to allow the code in the file.
        raise ValueError(
            f'{path}: not a checkpoint, or one that needs to run code when it '
            f'is loaded; {TRUST_HINT}'
        ) from None
    except Exception as error:  # torch and a hostile pickle raise anything
        raise ValueError(
            f'{path}: not a checkpoint, or a damaged one: '
            f'{str(error) or type(error).__name__}'
        ) from error


def _is_torchscript(path: Path) -> bool:
    """Whether a file is an archive of programs, which torch.load runs."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(n.endswith('/constants.pkl') for n in archive.namelist())


def _read_inert(path: Path) -> object:
    """Read a zip file of ``torch.save`` with placeholders for objects."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        (root,) = {name.partition('/')[0] for name in names}
        if any(info.compress_type for info in archive.infolist()):
            raise ValueError('it is compressed, which torch.save never does')
        order = f'{root}/byteorder'
        if order in names and archive.read(order).decode() != sys.byteorder:
            raise ValueError('it was written on a machine of other byte order')
        return _Unpickler(archive, root).load()


class Placeholder:
    """A pickled object; it takes whatever is done to it and does nothing."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def _ignore(self, *args: object, **kwargs: object) -> 'Placeholder':
        return self

    __call__ = __setstate__ = __setitem__ = _ignore
    append = extend = add = _ignore


class _Unpickler(pickle.Unpickler):
    """Builds tensors and plain containers only."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f'{root}/data.pkl')))
        self._archive = archive
        self._root = root
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> object:
        if module == 'torch' and name in _DTYPES:
            return _DTYPES[name]
        if module == 'torch' and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ('torch', 'Size'):
            return torch.Size
        if (module, name) == ('collections', 'OrderedDict'):
            return OrderedDict
        # New functions and classes each time: a pickle may set attributes.
        if (module, name) == ('torch._utils', '_rebuild_tensor_v2'):
            return lambda *args: _tensor(*args[:4])
        if (module, name) == ('torch._utils', '_rebuild_parameter'):
            return lambda *args: args[0]
        return type('Placeholder', (Placeholder,), {})

    def persistent_load(self, saved_id: tuple) -> Tensor:
        """The elements of a storage, in one row."""
        kind, dtype, key, _, _ = saved_id
        if kind != 'storage' or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError
        if key not in self._storages:
            data = self._archive.read(f'{self._root}/data/{key}')
            self._storages[key] = (
                torch.frombuffer(bytearray(data), dtype=dtype)
                if data
                else torch.empty(0, dtype=dtype)
            )
        return self._storages[key]


def _tensor(
    storage: Tensor, offset: int, size: tuple, stride: tuple
) -> Tensor:
    # Unlike set_, as_strided never enlarges a storage that is too small.
    return torch.as_strided(storage, size, stride, offset)
