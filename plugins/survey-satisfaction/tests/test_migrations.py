"""The plugin's tables come and go without leaving anything behind."""

from alembic import command
from sqlalchemy import create_engine, text

from huiyin.migrations import config_for
from huiyin.testing import database


def test_its_history_goes_down_to_nothing_and_up_again(postgres):
    addresses = database.copy_template(postgres, "huiyin_survey_history")
    owner = create_engine(addresses.owner)
    try:
        for move, target, tables in ((command.downgrade, "base", 0), (command.upgrade, "head", 10)):
            with owner.begin() as connection:
                name, package = "survey_satisfaction", "huiyin_survey_satisfaction"
                move(config_for(name, package, connection), target)
            with owner.connect() as connection:
                found = connection.execute(
                    text(
                        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE"
                        " 'plugin\\_survey\\_satisfaction\\_\\_%' AND relname NOT LIKE '%version'"
                    )
                ).scalar_one()
                assert found == tables
                walled = connection.execute(
                    text(
                        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relforcerowsecurity"
                        " AND relname LIKE 'plugin\\_survey\\_satisfaction\\_\\_%'"
                    )
                ).scalar_one()
                assert walled == tables
    finally:
        owner.dispose()
