"""``explain``, ``package`` and ``check``: what is published, for people, for servers, and if it is sound."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.exits import Exit
from service.domain.errors import ServiceError

if TYPE_CHECKING:
    from service.adapters.content import Folder


def _content() -> Folder:
    from service import settings as environment
    from service.adapters.content import load

    try:
        return load(environment.read(os.environ).content_folders)
    except environment.SettingsFault as fault:
        print(fault, file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None


def explain(
    plan: Annotated[str | None, typer.Argument(help="The id of one plan; none explains them all.")] = None,
) -> None:
    """The decision tables in words, with their paragraphs and rules, from the published plans."""
    from service.operations.explain import explain as words

    plans = [one for one in _content().of_type("PlanDefinition") if plan in (None, one.id)]
    if not plans:
        print(f"no plan '{plan}' is published", file=sys.stderr)
        raise typer.Exit(Exit.USAGE)
    print("\n".join(words(one.resource) for one in plans), end="")


def package(
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path("package.tgz"),
    canonical_base: Annotated[
        str | None, typer.Option(help="Publish under this base instead, such as https://fhir.trust.nhs.uk.")
    ] = None,
) -> None:
    """The published content as a FHIR NPM package, which FHIR servers and IG tools load."""
    from service.operations.package import make_package

    if canonical_base is not None and not canonical_base.startswith(("https://", "http://")):
        print("--canonical-base is an http or https address", file=sys.stderr)
        raise typer.Exit(Exit.USAGE)
    try:
        made = make_package(_content().published, canonical_base)
    except ServiceError as fault:
        print(fault, file=sys.stderr)
        raise typer.Exit(Exit.FAULTS) from None
    output.write_bytes(made)
    print(f"{output}: {len(made)} bytes")


def check() -> None:
    """Every fault of the published content, and of the files of clients and site if set. Exit 1 if any.

    HTG117_CLIENTS and HTG117_SITE name those files; the site's MedDRA table is read too. Each fault is a
    line: the file, its element or key, and what is wrong.
    """
    from service.adapters.content_checks import find_faults

    content = _content()
    faults = [str(fault) for fault in find_faults(content)]
    clients, faults_of_clients = _clients()
    faults += faults_of_clients
    site, faults_of_site = _site()
    faults += faults_of_site
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} fault{'' if len(faults) == 1 else 's'}", file=sys.stderr)
        raise typer.Exit(Exit.FAULTS)
    beside = f", {clients} client{'' if clients == 1 else 's'}" if clients else ""
    beside += f", the site {site}" if site else ""
    print(f"{len(content.published)} resources{beside}, no fault")


def _clients() -> tuple[int, list[str]]:
    """How many clients the file of clients has, and what is wrong with it."""
    from service import settings as environment

    file = environment.read(os.environ).clients
    if not file:
        return 0, []
    from service.adapters.client_file import read_clients

    try:
        return len(read_clients(Path(file))), []
    except ServiceError as fault:
        return 0, [f"{Path(file).name}: {issue}" for issue in fault.issues]


def _site() -> tuple[str, list[str]]:
    """The organisation of the site's file, and what is wrong with the file or its MedDRA table."""
    from service import settings as environment

    file = environment.read(os.environ).site
    if not file:
        return "", []
    from service.adapters.meddra import read_terms
    from service.adapters.site import read_site

    try:
        site, _ = read_site(Path(file))
    except ServiceError as fault:
        return "", [f"{Path(file).name}: {issue}" for issue in fault.issues]
    try:
        if site.meddra is not None:
            read_terms(site.meddra)
    except ServiceError as fault:
        return "", [str(issue) for issue in fault.issues]
    return site.organisation, []
