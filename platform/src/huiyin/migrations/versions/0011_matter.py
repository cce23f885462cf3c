"""The database judges the parts in merged cases too."""

from huiyin.migrations.functions import install

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    install("duty_matter")


def downgrade() -> None:
    install("duty_barred")
