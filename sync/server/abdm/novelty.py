"""Whether an ABHA number that ABDM gave is new, for both roads to one: ISSUED or DUPLICATE."""

from __future__ import annotations

from sqlalchemy import Connection, select

from sync.server.abdm.calls import CREATING, Answered, Enrolled
from sync.server.abdm.exchanges import was_left_open
from sync.server.abdm.jobs import JobKind, code_of_job
from sync.server.abdm.outcomes import FOUND
from sync.server.store.tables import enrollments

__all__ = ["was_known"]


def was_known(
    connection: Connection, enrollment: str, answer: Answered[Enrolled], *, had_number: bool
) -> bool:
    """Whether the person had the number before, and none of our own requests made it.

    ``had_number``: it was written down already, by the other road, which then said so: ABDM calls
    the number that it gave a moment ago an old one. A number that another enrollment was issued is
    old even where a request for this one may have been done without our knowing. One that another
    found does not count: it may have found what was made for this one.
    """
    if had_number:
        return code_of_job(connection, enrollment, JobKind.ENROLL) == FOUND
    if answer.value.is_new:
        return False
    if _has_another(connection, enrollment, answer.value.abha_number):
        return True
    return answer.value.is_new is False and not was_left_open(
        connection, enrollment, CREATING, besides=answer.ending.request_id
    )


def _has_another(connection: Connection, enrollment: str, number: str) -> bool:
    query = select(enrollments.c.enrollment).where(
        enrollments.c.abha_number == number,
        enrollments.c.enrollment != enrollment,
        enrollments.c.state != "DUPLICATE",
    )
    return connection.execute(query.limit(1)).first() is not None
