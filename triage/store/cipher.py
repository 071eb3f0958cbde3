"""Papers at rest: AES-256-GCM under a key of the operator's. Text stored before a key was set stays readable; without its key a
sealed text is never guessed at."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from triage.store.errors import StoreError
from triage.store.tables import SealedText

MARK = "sealed:1:"
NONCE = 12
KEY = 32


class KeyMissing(StoreError):
    """A sealed text, and not the key it was sealed with."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"材料已用密钥 {name} 加密，请在 TRIAGE_KEY_FILE 中提供该密钥",
            f"papers are sealed with key {name}: give that key in TRIAGE_KEY_FILE",
        )


class BadKey(StoreError):
    """A key file that holds no usable key."""


@dataclass(frozen=True)
class Seal:
    """Seals with the first key and opens with any: a new key is written above the old ones."""

    newest: str
    keys: Mapping[str, AESGCM]

    @classmethod
    def of(cls, keys: Sequence[bytes]) -> Seal:
        """Keys of 32 bytes, the newest first."""
        named = {name_of(key): AESGCM(key) for key in keys}
        return cls(name_of(keys[0]), named)

    def seal(self, text: str) -> str:
        """The text under the newest key, with a fresh nonce."""
        nonce = os.urandom(NONCE)
        hidden = self.keys[self.newest].encrypt(nonce, text.encode("utf-8", "surrogatepass"), self.newest.encode())
        return f"{MARK}{self.newest}:{base64.b64encode(nonce + hidden).decode()}"

    def open(self, sealed: str) -> str:
        """The text; one stored before there was a key is returned as it is. Raises KeyMissing."""
        if not sealed.startswith(MARK):
            return sealed
        name, _, body = sealed.removeprefix(MARK).partition(":")
        if name not in self.keys:
            raise KeyMissing(name)
        raw = base64.b64decode(body)
        try:
            return self.keys[name].decrypt(raw[:NONCE], raw[NONCE:], name.encode()).decode("utf-8", "surrogatepass")
        except InvalidTag as error:
            raise StoreError("加密的材料已被改动，请从备份恢复", "a sealed paper was altered: restore it from a backup") from error


class Closed:
    """No key: new text is stored as it is, sealed text is not opened."""

    def seal(self, text: str) -> str:
        """The text itself."""
        return text

    def open(self, sealed: str) -> str:
        """The text, unless it is sealed. Raises KeyMissing."""
        if sealed.startswith(MARK):
            raise KeyMissing(sealed.removeprefix(MARK).partition(":")[0])
        return sealed


def name_of(key: bytes) -> str:
    """Eight characters by which a key is told without giving it away."""
    return hashlib.sha256(b"claim-triage key" + key).hexdigest()[:8]


def read_keys(path: Path) -> list[bytes]:
    """The keys of a file, one in base64 a line, the newest first; '#' begins a comment. Raises BadKey naming file and line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadKey(f"{path}: 密钥文件无法读取（{error}）", f"{path}: the key file cannot be read ({error})") from error
    keys = [_key(path, number, line.strip()) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not keys:
        raise BadKey(f"{path}: 文件中没有密钥，可用 triage key new 生成", f"{path}: no key in the file, make one with: triage key new")
    return keys


def _key(path: Path, number: int, line: str) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY:
        raise BadKey(
            f"{path}: 第{number}行须为32字节的base64密钥，可用 triage key new 生成",
            f"{path}: line {number} is no base64 key of 32 bytes, make one with: triage key new",
        )
    return key


def use_keys(path: Path | None) -> None:
    """From now on this process seals what it stores; None seals nothing and says so where something sealed is met. Raises BadKey."""
    SealedText.cipher = Seal.of(read_keys(path)) if path is not None else Closed()
