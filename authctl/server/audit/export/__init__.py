"""Exports of the trail: one file per format, the cursor that lets them go on, and feeds that follow the trail."""
