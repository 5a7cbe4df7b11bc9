"""Check all stored records by today's rules."""

import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from organizations.csv_cells import BYTE_ORDER_MARK, line
from organizations.forms.check_records import read_by_form
from organizations.management.commands._programs import check_database
from organizations.models import Environment
from organizations.services.review import check_records
from organizations.services.review.check_records import RecordFinding
from organizations.text.vocabulary import count
from orgportal import startup

from ._base import Finding, PortalCommand

STANDARD_OUTPUT = "-"
_COLUMNS = "{:<11} {:<44} {:<30.30} {:<14} {:<26} {}"


class Command(PortalCommand):
    help = "Checks all stored records by today's rules, and lists the findings. Changes and sends nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", choices=Environment.values, help="only this environment; by default both")
        parser.add_argument("--csv", metavar="FILE", help="write a CSV file, not a table; - means standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        startup.verify()
        check_database()
        only = options["environment"]
        environments = [Environment(only)] if only else list(Environment)
        total = finding_count = 0
        with self._writer(options["csv"]) as write:
            for environment in environments:
                for checked, findings in self._parts(environment):
                    total += checked
                    finding_count += len(findings)
                    write(findings)
        if finding_count:
            raise Finding(f"{count(finding_count, 'finding')} in {count(total, 'record')}.")
        self._say(f"Nothing was found in {count(total, 'record')}.")

    def _parts(self, environment: Environment) -> Iterator[tuple[int, list[RecordFinding]]]:
        total, checked = check_records.stored_records(environment).count(), 0
        for ids in check_records.id_batches(environment):
            yield len(ids), check_records.check_stored_records(environment, ids, read_by_form)
            checked += len(ids)
            self._say(f"{environment.label}: {checked:,} of {count(total, 'record')} checked")

    @contextmanager
    def _writer(self, file: str | None) -> Iterator[Callable[[Iterable[RecordFinding]], None]]:
        if file is None:
            self._write_table([RecordFinding(*check_records.HEADINGS)])
            yield self._write_table
        elif file == STANDARD_OUTPUT:
            self._write_lines(line(check_records.HEADINGS))
            yield lambda findings: self._write_lines(*map(line, findings))
        else:
            with open(file, "w", encoding="utf-8", newline="", opener=_open_private) as csv_file:
                csv_file.write(BYTE_ORDER_MARK + line(check_records.HEADINGS))
                yield lambda findings: csv_file.writelines(map(line, findings))

    def _write_lines(self, *lines: str) -> None:
        for each in lines:
            self.stdout.write(each, ending="")

    def _write_table(self, findings: Iterable[RecordFinding]) -> None:
        for finding in findings:
            self.stdout.write(_COLUMNS.format(*map(_printable, finding)))

    def _say(self, text: str) -> None:
        self.stderr.write(text, str)  # `str` instead of the red style of errors


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _printable(text: str) -> str:
    """Stored text on one line, without characters that control a terminal."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04X}" for character in text)
