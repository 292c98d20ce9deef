"""Settings: every knob of authctl, read once, checked as a whole, never changed afterwards."""

from __future__ import annotations

from authctl.settings.description import SettingRow, describe
from authctl.settings.loading import load_settings, settings_warnings
from authctl.settings.model import Settings

__all__ = ["SettingRow", "Settings", "describe", "load_settings", "settings_warnings"]
