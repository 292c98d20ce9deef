"""A few of the stories on PostgreSQL: the same rules, read by another driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.server.storage import database as database_module
from tests.server.audit import test_checkpoints as with_checkpoints
from tests.server.audit import test_stories as on_sqlite
from tests.server.audit.stories import Story, tell
from tests.server.audit.workbench import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.clock import FixedClock

pytestmark = pytest.mark.postgres


@pytest.fixture
def site(tmp_path: Path, postgres_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """One writer thread, so that there is one chain."""
    monkeypatch.setattr(database_module, "POSTGRES_WRITERS", 1)
    made = Site(tmp_path, postgres_url, clock)
    yield made
    made.stop()


@pytest.fixture(params=["archived", "erased and pruned"])
def story(request: pytest.FixtureRequest, site: Site) -> Story:
    """The two kinds that between them have everything."""
    return tell(site, request.param)


test_a_story_is_intact_when_nobody_touched_it = on_sqlite.test_a_story_is_intact_when_nobody_touched_it
test_removals_of_different_times_join_up = on_sqlite.test_removals_of_different_times_join_up
test_a_deleted_row_is_named = on_sqlite.test_a_deleted_row_is_named
test_an_inserted_row_is_named = on_sqlite.test_an_inserted_row_is_named
test_two_swapped_rows_are_named = on_sqlite.test_two_swapped_rows_are_named
test_a_tail_is_missed = on_sqlite.test_a_tail_behind_the_last_checkpoint_is_missed_when_the_head_was_corrected
test_a_replaced_key_id_is_named = on_sqlite.test_a_replaced_key_id_is_named
test_holes_are_named_when_the_removal_is_gone = on_sqlite.test_holes_are_named_when_the_removal_is_gone
test_a_removal_is_held_against_the_row_behind_it = on_sqlite.test_a_removal_is_held_against_the_row_behind_it
test_a_blank_row_is_named_when_no_erasure_names_it = on_sqlite.test_a_blank_row_is_named_when_no_erasure_names_it
test_the_fields_are_named = on_sqlite.test_the_fields_are_named_in_which_archive_and_table_differ

long = with_checkpoints.long
test_a_checkpoint_is_an_event = with_checkpoints.test_a_checkpoint_is_an_event_of_who_asked_for_it
test_the_last_checkpoint_is_given = with_checkpoints.test_the_last_checkpoint_is_given_when_nothing_has_moved
test_a_checkpoint_is_found_by_its_event_id = with_checkpoints.test_a_checkpoint_is_found_by_its_event_id
test_a_cut_is_named = with_checkpoints.test_a_cut_that_the_trail_itself_does_not_show_is_named
test_only_what_came_behind_is_looked_at = with_checkpoints.test_only_what_came_behind_is_looked_at


@pytest.mark.parametrize("change", ["user_email = NULL", "created_at = '2026-01-02 00:00:00Z'", "salt = mac"])
def test_an_edited_field_is_named(story: Story, change: str) -> None:
    """R-LG-06."""
    on_sqlite.test_an_edited_field_is_named(story, change)
