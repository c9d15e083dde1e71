"""`bundle`, `verify`, `reproduce` and `diff`: verbs that carry a release."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json, say_table, terminal
from ghostface_edge.pipeline.support import messages
from ghostface_edge.reports.printable import printable

if TYPE_CHECKING:
    from ghostface_edge.pipeline.support.dsse import Signer


def bundle(
    run_dir: Annotated[Path, typer.Argument(help="Output folder of a run.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Zip file to write.", show_default=False)],
    variant: Annotated[
        list[str] | None, typer.Option(help="Variant whose files go in; all by default.", show_default=False)
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="Only variants that ran on this device.", show_default=False)
    ] = None,
    sign: Annotated[
        str | None,
        typer.Option(
            help="Private key to sign files and verdict with: PEM (ECDSA P-256 or Ed25519), or pkcs11: for one in a "
            "token.",
            metavar="FILE|URI",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Pack a run's models, evidence and origin into one file that anyone can check.

    The passphrase of a key is asked for, or taken from GHOSTFACE_EDGE_PASSPHRASE; the PIN of a token likewise, from
    GHOSTFACE_EDGE_PIN.
    """
    options.check_output(output)
    from ghostface_edge.pipeline.release.bundle import write_bundle

    with _signer(sign) as signer:
        names = write_bundle(run_dir, output, variants=variant or (), devices=device or (), signer=signer)
    signed = "unsigned" if signer is None else "signed"
    say(f"{output}: {len(names)} files, {output.stat().st_size:,} bytes, {signed}")


@contextmanager
def _signer(key: str | None) -> Iterator["Signer | None"]:
    from ghostface_edge.pipeline.release.token_key import SCHEME, token_signer
    from ghostface_edge.pipeline.support.dsse import Signer, is_encrypted

    if key is None:
        yield None
    elif key.startswith(SCHEME):
        with token_signer(key, lambda label: _secret("GHOSTFACE_EDGE_PIN", f"PIN of token {label}")) as signer:
            yield signer
    else:
        path = Path(key)
        asked = is_encrypted(path)
        yield Signer.read(path, _secret("GHOSTFACE_EDGE_PASSPHRASE", f"passphrase of {path}") if asked else None)


def _secret(variable: str, what: str) -> str:
    return os.environ.get(variable) or str(typer.prompt(printable(what), hide_input=True))


def verify(
    bundle: Annotated[Path, typer.Argument(help="Zip file written by `bundle`.")],
    key: Annotated[
        Path | None, typer.Option(help="Public key (PEM) that must have signed it.", show_default=False)
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="Policy file, or a shipped one, by which the verdict must come out.", show_default=False),
    ] = None,
    json_: options.Json = False,
) -> None:
    """Check a bundle: every byte accounted for, figures and verdict that follow, signed by the key.

    Without --key it says that the bundle is whole, not who made it. Exit code 2 for whatever is wrong; whether the
    release passed its gate decides nothing here.
    """
    from ghostface_edge.pipeline.release.check import check_bundle

    public = None
    if key is not None:
        from ghostface_edge.pipeline.support.dsse import read_public_key

        public = read_public_key(key)
    found = check_bundle(bundle, public, None if policy is None else options.read_policy(policy))
    report, entry = found.report, found.manifest.verdict
    if json_:
        say_json(
            {
                "bundle": str(bundle),
                "model": report.model.name,
                "variants": [one.id for one in found.manifest.variants],
                "verdict": entry.model_dump(mode="json"),
                "signed_by": found.signed_by,
                "signature_checked": found.is_believed,
                "pages_made_again": found.is_made_again,
            }
        )
        return
    if found.signed_by is None:
        signed = "unsigned: it does not tell who made it"
    elif found.is_believed:
        signed = f"signed by {found.signed_by[:16]}"
    else:
        signed = f"signature of {found.signed_by[:16]} not checked, give --key"
    say(f"{bundle}: whole, {signed}; {report.model.name}, verdict {entry.verdict} by {entry.policy}")
    if not found.is_made_again:
        say("made by another release: its pages were not made again to compare them")


def reproduce(
    bundle: Annotated[Path, typer.Argument(help="Zip file written by `bundle`.")],
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="The network that it was made of; the embedded one by default.", show_default=False),
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Folder of the faces that it saw; rendered ones by default.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the rebuilt models and what was found.")] = Path("rebuilt"),
    here: Annotated[
        bool, typer.Option("--here", help="Rebuild with the versions that are installed, whatever was recorded.")
    ] = False,
    jobs: options.Jobs = None,
    json_: options.Json = False,
) -> None:
    """Rebuild a bundle's models from what it recorded, and say which step first gives something else, and how.

    Where other versions are installed than were recorded, an environment that has those is made in the cache.
    Exit code: 0 if every file came out the same, 1 if not.
    """
    options.check_output(out, is_folder=True)
    options.check_folders(calibration)
    options.check_checkpoint(checkpoint)
    from ghostface_edge.pipeline.release.check import check_bundle
    from ghostface_edge.pipeline.release.environment import environment, other_versions, run_there

    statement = check_bundle(bundle).manifest.provenance
    python = statement.making.host.python
    if not here and other_versions(statement.packages, python):
        from ghostface_edge.reports.cache_root import default_root

        inside = environment(statement.packages, python, default_root() / "environments", messages.say)
        raise typer.Exit(run_there(inside, [*sys.argv[1:], "--here"]))
    from ghostface_edge.pipeline.release.reproduce import Given, reproduce
    from ghostface_edge.pipeline.stages.context import StageContext
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.support.store import Store

    with Store().scratch() as folder:
        context = StageContext(Store(folder), out / "logs", Progress(), options.cores(jobs))
        found = reproduce(Given(bundle, checkpoint, calibration, out), context)
    if json_:
        say_json(found.model_dump(mode="json"))
    else:
        say_table([(one.name, "equal" if one.equal else "differs", one.how or "") for one in found.stages])
        for name, (was, now) in found.other_versions.items():
            say(f"{name} {now or 'is not installed'}, was {was}")
        if not found.same_code:
            say("the bundle was made by another release of ghostface-edge: a difference may be its own")
        say("every file came out the same" if found.equal else f"first difference: {found.first_difference}")
    raise typer.Exit(0 if found.equal else 1)


def diff(
    before: Annotated[Path, typer.Argument(help="Bundle of the earlier release.")],
    after: Annotated[Path, typer.Argument(help="Bundle of the later release.")],
    html: Annotated[Path | None, typer.Option(help="Write it as a page.", show_default=False)] = None,
    json_: options.Json = False,
) -> None:
    """Say what differs between two releases: weights, scales, thresholds, figures, options and versions."""
    from ghostface_edge.pipeline.release.between import compare_bundles, sections

    found = compare_bundles(before, after)
    from ghostface_edge.reports.renderings.console import print_difference
    from ghostface_edge.reports.renderings.html import render_difference
    from ghostface_edge.reports.write import write_text

    if json_:
        say_json(found.model_dump(mode="json"))
    else:
        print_difference(found.figures, terminal(), sections(found))
    if html is not None:
        write_text(html, render_difference(found.figures, sections(found)))


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {"bundle": bundle, "verify": verify, "reproduce": reproduce, "diff": diff}
)
