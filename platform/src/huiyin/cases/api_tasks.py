"""What the API answers about the tasks of a case."""

from __future__ import annotations

import uuid
from datetime import date

from huiyin.cases.models import Task
from huiyin.cases.opened import Opened
from huiyin.kit.i18n import Translator
from huiyin.web.programs import Answer, Moment


class TaskAnswer(Answer, frozen=True, kw_only=True):
    id: uuid.UUID
    number: str
    title: str
    assignee: str
    due_on: date | None


class ListedTask(Answer, frozen=True, kw_only=True):
    id: uuid.UUID
    title: str
    assignee: str
    due_on: date | None
    measure: bool  # one of the approved plan
    done_at: Moment | None


class TaskList(Answer, frozen=True, kw_only=True):
    tasks: list[ListedTask]


def made(number: str, task: Task) -> TaskAnswer:
    return TaskAnswer(
        id=task.id, number=number, title=task.title, assignee=task.assignee_name, due_on=task.due_on
    )


def listed(opened: Opened, _: Translator) -> TaskList:
    return TaskList(
        tasks=[
            ListedTask(
                id=line.id,
                title=_(line.title, **line.title_params),
                assignee=line.assignee_name,
                due_on=line.due_on,
                measure=line.is_measure,
                done_at=line.done_at,
            )
            for line in opened.tasks
        ]
    )
