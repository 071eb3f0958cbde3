"""The model at work: a verified bundle's score for one claim's features, calibrated, and what made it so in words."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from threading import Lock
from typing import Any, Protocol

import numpy as np

from triage.bundle import Bundle, BundleError, calibrated


class Current(Protocol):
    """Whatever holds the scorer in use. It may change between two calls, never within one suggestion: ask once for each."""

    def current(self) -> Scorer | None:
        """The scorer to use now; None keeps the gate closed."""
        ...


class Scorer:
    """Scores under one bundle. Raises BundleError when LightGBM does not take the model."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._model = None if bundle.score is not None else _Model(bundle)

    def score(self, row: Sequence[float]) -> float:
        """The calibrated probability that a full investigation would not have paid; a constant bundle's score for any row."""
        if self._model is None:
            assert self.bundle.score is not None
            return self.bundle.score
        assert self.bundle.calibration is not None
        return calibrated(self._model.margin(row), self.bundle.calibration)

    def contributions(self, row: Sequence[float]) -> list[float]:
        """What each feature adds to the margin (log-odds), in the order of the features; empty for a constant bundle."""
        return [] if self._model is None else self._model.contributions(row)


class InUse:
    """A scorer that may be exchanged while requests run: each suggestion asks once, and keeps what it got."""

    def __init__(self, bundle: Bundle | None = None) -> None:
        self._scorer = scorer_of(bundle)

    def current(self) -> Scorer | None:
        """The scorer in use."""
        return self._scorer

    def take(self, bundle: Bundle | None) -> None:
        """From now on scores with `bundle`; made ready before it is exchanged, so a failure leaves the old one. Raises BundleError."""
        self._scorer = scorer_of(bundle)


def scorer_of(bundle: Bundle | None) -> Scorer | None:
    """A scorer for a bundle; None for none. Raises BundleError."""
    return None if bundle is None else Scorer(bundle)


_RAW, _CONTRIBUTIONS, _FLOAT64 = 1, 3, 1
"""LightGBM's C API: C_API_PREDICT_RAW_SCORE, C_API_PREDICT_CONTRIB, C_API_DTYPE_FLOAT64."""


class _Model:
    """A LightGBM text model on one thread, by the single-row fast path of its C API (11 us a row against 31 us of Booster.predict),
    or by Booster.predict where a build of LightGBM lacks it."""

    def __init__(self, bundle: Bundle) -> None:
        import lightgbm

        try:
            self._booster = lightgbm.Booster(model_str=bundle.model)
            self._fast = [_Fast(self._booster, kind, len(bundle.features)) for kind in (_RAW, _CONTRIBUTIONS)]
        except AttributeError:
            self._fast = []
        except lightgbm.basic.LightGBMError as error:
            raise BundleError(
                f"{bundle.name}: LightGBM 不接受该模型，请重新训练 / LightGBM does not take the model, train again: {error}"
            ) from error

    def margin(self, row: Sequence[float]) -> float:
        """The raw score, log-odds."""
        if self._fast:
            return self._fast[0].predict(row)[0]
        return float(self._booster.predict(np.asarray([row], dtype=np.float64), raw_score=True, num_threads=1)[0])

    def contributions(self, row: Sequence[float]) -> list[float]:
        """Per feature, without the constant."""
        if self._fast:
            return self._fast[1].predict(row)[:-1]
        found = self._booster.predict(np.asarray([row], dtype=np.float64), pred_contrib=True, num_threads=1)
        return [float(value) for value in np.asarray(found)[0][:-1]]


class _Fast:
    """One prepared single-row prediction: its buffers are shared, so one row at a time."""

    def __init__(self, booster: Any, kind: int, width: int) -> None:
        from lightgbm import basic

        library: Any = basic._LIB  # type: ignore[attr-defined]  # noqa: SLF001 - the fast path has no public name in Python
        self._config = ctypes.c_void_p()
        self._booster = booster
        self._call = library.LGBM_BoosterPredictForMatSingleRowFast
        self._free = library.LGBM_FastConfigFree
        self._row = (ctypes.c_double * width)()
        self._out = (ctypes.c_double * (1 if kind == _RAW else width + 1))()
        self._length = ctypes.c_int64()
        self._lock = Lock()
        prepare = library.LGBM_BoosterPredictForMatSingleRowFastInit
        basic._safe_call(  # noqa: SLF001
            prepare(booster._handle, kind, 0, -1, _FLOAT64, ctypes.c_int32(width), b"num_threads=1", ctypes.byref(self._config))  # noqa: SLF001
        )

    def predict(self, row: Sequence[float]) -> list[float]:
        """Raises ValueError for a row of another width, RuntimeError when LightGBM fails."""
        if len(row) != len(self._row):
            raise ValueError(f"行宽 {len(row)}，应为 {len(self._row)} / the row has {len(row)} values and should have {len(self._row)}")
        with self._lock:
            self._row[:] = list(row)
            if self._call(self._config, self._row, ctypes.byref(self._length), self._out):
                raise RuntimeError("LightGBM 计算失败 / LightGBM failed to score")
            return list(self._out)

    def __del__(self) -> None:
        if self._config:
            self._free(self._config)
