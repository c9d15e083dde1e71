"""Hostile lists of devices, plans of many runs, and stores that machines share."""

import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from . import good
from .case import PLACES, Case, Content, Door, Payload, case_folder, file_sha256, later, link, noise, sparse, tree
from .machine import ANY, JOB, STORE, job_files
from .release import plain_yaml

_DEVICES = b"pi4:\n  at: exec:touch EXECUTED\n  cores: [2, 3]\n"
DEVICES = Door("devices.yaml", ("devices",), {})
ASKED = Door("devices.yaml", ("devices", "pi4"), {})
_NET = {"net.safetensors": later(good.safetensors)}
SHORT_PLAN = b"checkpoints: [net.safetensors]\nrecipes: [fast]\ntargets: [onnxruntime-int8]\nseeds: [1, 2]\n"
PLAN = Door("plan.yaml", ("matrix", "plan.yaml", "--out", "out", "--dry-run"), _NET)
STORED = (*JOB, "--store", STORE)


def cases() -> Iterator[Case]:
    """All of this part."""
    yield from plain_yaml("devices", DEVICES, _DEVICES)
    yield from _devices()
    yield from plain_yaml("plan", PLAN, SHORT_PLAN)
    yield from _plans()
    yield from _records()
    yield from _stores()


def _devices() -> Iterator[Case]:
    refused = {
        "an-unknown-key": "pi4: {at: local, shell: evil}",
        "no-address": "pi4: {python: python3}",
        "a-list-for-a-device": "pi4: [local]",
        "an-address-of-a-number": "pi4: {at: 5}",
        "a-negative-core": "pi4: {at: 'ssh:pi', cores: [-1]}",
        "cores-of-5000-digits": f"pi4: {{at: 'ssh:pi', cores: [{'9' * 5000}]}}",
        "half-a-core": "pi4: {at: 'ssh:pi', cores: [0.5]}",
        "no-threads": "pi4: {at: 'ssh:pi', threads: 0}",
        "minutes-of-nan": "pi4: {at: 'ssh:pi', sustained_minutes: .nan}",
        "minutes-of-infinity": "pi4: {at: 'ssh:pi', sustained_minutes: .inf}",
        "a-name-with-a-newline": '"x\\n::error::PWNED": {at: local}',
        "a-name-with-escapes": '"x\\e[31m": {at: local}',
        "a-name-that-climbs": "'../../x': {at: local}",
        "a-name-of-a-kilobyte": f"{'x' * 1000}: {{at: local}}",
        "a-name-of-a-dot": ".: {at: local}",
        "this-hosts-name": "local: {at: 'exec:touch EXECUTED'}",
        "a-device-twice": "pi4: {at: local}\npi4: {at: 'exec:touch EXECUTED'}",
        "an-address-twice": "pi4: {at: local, at: 'exec:touch EXECUTED'}",
        "an-inner-key-with-a-newline": 'pi4: {at: local, "x\\n::error::PWNED": 1}',
    }
    for name, text in refused.items():
        yield DEVICES.case(f"devices/{name}", text.encode(), quick=name in {"a-name-with-escapes", "an-address-twice"})
    # nothing is started for a list, whatever it says
    listed = {
        "a-command": "pi4: {at: 'exec:touch EXECUTED'}",
        "a-command-of-a-shell": "pi4: {at: 'exec:sh -c \"touch EXECUTED\"'}",
        "an-option-for-a-host": "pi4: {at: 'ssh:-oProxyCommand=touch EXECUTED'}",
        "an-option-for-a-serial": "pi4: {at: 'adb:-H evil'}",
        "a-python-of-a-shell": "pi4: {at: 'ssh:pi', python: 'python3; touch EXECUTED'}",
        "an-open-quote": "pi4: {at: 'exec:\"touch EXECUTED'}",
        "a-cpu-that-climbs": "pi4: {at: 'qemu:../../x'}",
        "an-address-with-a-newline": 'pi4: {at: "ssh:x\\n::error::PWNED"}',
        "an-address-with-escapes": 'pi4: {at: "ssh:x\\e[31m"}',
        "an-address-of-nobody": "pi4: {at: 'evil:x\\n::error::PWNED'}",
        "an-address-of-100-kilobytes": f"pi4: {{at: 'ssh:{'x' * 100_000}'}}",
        "three-thousand-devices": "".join(f"d{number}: {{at: 'ssh:d{number}'}}\n" for number in range(3_000)),
    }
    for name, text in listed.items():
        for more in ((), ("--json",)):
            yield Door("devices.yaml", ("devices", *more), {}).case(
                f"devices/listed-{name}{''.join(more)}",
                text.encode(),
                allowed=frozenset({0}),
                why="a list says what is wrong with each",
                quick=name in {"a-command", "an-address-with-a-newline"},
            )
    asked = {
        "an-option-for-a-host": "pi4: {at: 'ssh:-oProxyCommand=touch EXECUTED'}",
        "an-open-quote": "pi4: {at: 'exec:\"touch EXECUTED'}",
        "an-empty-command": "pi4: {at: 'exec: '}",
        "a-cpu-that-climbs": "pi4: {at: 'qemu:../../x'}",
        "an-address-of-nobody": "pi4: {at: 'evil:x'}",
        "an-address-with-a-newline": 'pi4: {at: "x\\n::error::PWNED"}',
        "this-host-elsewhere": "pi4: {at: 'local:x'}",
    }
    # where no ssh is installed, that is what is said first
    tools = {
        "allowed": frozenset({2, 3}),
        "why": "a device that cannot be reached, or whose tool is missing, is a fault of the machine",
    }
    for name, text in asked.items():
        fields = tools if "host" in name and "option" in name else {}
        yield ASKED.case(f"devices/asked-{name}", text.encode(), runs_code="touch" in text, **fields)
    programs = {
        "that-says-nothing": "exec:true",
        "that-speaks-for-ever": "exec:yes",
        "that-says-noise": "exec:head -c 1000000 /dev/urandom",
        "that-says-brackets": "exec:python3 -c 'print(chr(91) * 60000)'",
        "that-is-not-there": "exec:/nosuch",
        "that-is-a-pipe": "exec:./pipe",
    }
    for name, address in programs.items():
        yield Door("devices.yaml", ("devices", "pi4"), {"pipe": os.mkfifo}).case(
            f"devices/a-command-{name}",
            json.dumps({"pi4": {"at": address}}).encode(),
            allowed=frozenset({3}),
            why="a device that answers something else has failed",
        )
    for name, content in PLACES.items():
        if name != "empty":
            yield ASKED.case(f"devices/asked-where-the-list-is-{name}", content)
    run = Door("devices.yaml", (*JOB, "--devices", "pi4"), job_files())
    for name in ("an-unknown-key", "a-device-twice", "a-name-with-a-newline"):
        yield run.case(f"devices/run-with-{name}", refused[name].encode())
    net = Door("devices.yaml", ("localize", "net.onnx", "--device", "pi4"), {"net.onnx": later(good.onnx_model)})
    yield net.case("devices/localize-with-a-device-twice", refused["a-device-twice"].encode())


def _plans() -> Iterator[Case]:
    texts = {
        "an-unknown-axis": "targts: [c-int8]",
        "an-unknown-target": "targets: [evil]",
        "a-target-with-a-newline": 'targets: ["x\\n::error::PWNED"]',
        "a-target-with-escapes": 'targets: ["x\\e[31m"]',
        "targets-within-targets": "targets: [[[c-int8]]]",
        "targets-of-numbers": "targets: [5]",
        "no-targets": "targets: []",
        "targets-of-nothing": "targets: ['']",
        "an-unknown-recipe": "recipes: [evil]",
        "a-recipe-with-a-newline": 'recipes: ["x\\n::error::PWNED"]',
        "a-recipe-that-is-the-plan": "recipes: [plan.yaml]",
        "a-recipe-of-a-device": "recipes: [/dev/zero]",
        "a-recipe-of-a-folder": "recipes: [.]",
        "a-checkpoint-that-is-the-plan": "checkpoints: [plan.yaml]",
        "a-checkpoint-that-is-not-there": "checkpoints: [nosuch.h5]",
        "a-checkpoint-of-a-device": "checkpoints: [/dev/zero]",
        "a-checkpoint-with-a-zero-byte": 'checkpoints: ["net\\0.h5"]',
        "a-checkpoint-of-half-a-surrogate": 'checkpoints: ["\\ud800.h5"]',
        "a-checkpoint-of-a-folder": "checkpoints: [.]",
        "a-checkpoint-twice": "checkpoints: [net.safetensors, net.safetensors]",
        "a-name-of-5000-bytes": f"checkpoints: [{'x' * 5000}]",
        "pairs-alone": "pairs: [[pairs.bin]]",
        "pairs-of-a-device": "pairs: [[/dev/zero]]\ncalibration: .",
        "calibration-alone": "calibration: .",
        "calibration-of-a-device": "pairs: [[plan.yaml]]\ncalibration: /dev/zero",
        "a-policy-that-is-the-plan": "policy: plan.yaml",
        "a-policy-of-a-device": "policy: /dev/zero",
        "an-unknown-policy": "policy: evil",
        "a-device-of-nobody": "devices: [evil]",
        "a-device-that-is-a-command": "devices: ['exec:touch EXECUTED']",
        "a-negative-seed": "seeds: [-1]",
        "a-seed-of-5000-digits": f"seeds: [{'9' * 5000}]",
        "a-seed-twice": "seeds: [1, 1]",
        "a-seed-of-text": "seeds: [one]",
        "half-a-seed": "seeds: [0.5]",
        "no-seeds": "seeds: []",
        "no-jobs": "jobs: 0",
        "jobs-of-a-quintillion": "jobs: 1000000000000000000",
        "faces-of-a-quintillion": "calibration_faces: 1000000000000000000",
        "no-device-faces": "device_faces: 0",
        "more-cells-than-may-be": f"seeds: {[*range(201)]}\ntargets: {[['c-int8']] * 200}",
        "a-billion-cells": "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\nseeds: *a",
        "ten-thousand-recipes": f"recipes: {['fast'] * 10_000}",
        "cells-by-aliases": f"targets:\n- &a [c-int8]\n{'- *a' + chr(10)}" * 2,
    }  # fmt: skip
    fine = {"jobs-of-a-quintillion", "faces-of-a-quintillion", "a-device-that-is-a-command"}
    for name, text in texts.items():
        yield PLAN.case(
            f"plan/{name}",
            text.encode(),
            allowed=frozenset({0, 2}) if name in fine else frozenset({2}),
            why="it is said what would be done; nothing is" if name in fine else "",
        )
    named: dict[str, dict[str, Content]] = {}
    for name in ("pipe", "endless-device", "8-gib", "socket", "noise"):
        named[f"checkpoint-{name}"] = {"net.safetensors": PLACES[name]}
        named[f"recipe-{name}"] = {"own.yaml": PLACES[name]}
        named[f"policy-{name}"] = {"policy.yaml": PLACES[name]}
        named[f"pairs-{name}"] = {"pairs.bin": PLACES[name], "faces": tree(good.photographs())}
        named[f"faces-{name}"] = {"pairs.bin": later(good.faces_bin), "faces": PLACES[name]}
    axes = {
        "recipe": "recipes: [own.yaml]\n",
        "policy": "policy: policy.yaml\n",
        "pairs": "pairs: [[pairs.bin]]\ncalibration: faces\n",
        "faces": "pairs: [[pairs.bin]]\ncalibration: faces\n",
    }
    for name, files in named.items():
        text = "checkpoints: [net.safetensors]\n" + axes.get(name.split("-")[0], "")
        yield Door("plan.yaml", PLAN.arguments, {**PLAN.around, **files}).case(f"plan/{name}", text.encode())
    many = f"checkpoints: [net.safetensors]\nrecipes: [fast]\nseeds: {[*range(4_000)]}\n"
    yield PLAN.case("plan/four-thousand-cells", many.encode(), allowed=frozenset({0}), why="that many may be asked for")
    clusters = {
        "cluster-of-a-pipe": {"c.yaml": os.mkfifo},
        "cluster-of-brackets": {"c.yaml": b"[" * 60_000},
        "cluster-of-nobody": {"c.yaml": b'cluster: "os.system\\n::error::PWNED"\n'},
    }
    for name, files in clusters.items():
        arguments = ("matrix", "plan.yaml", "--out", "out", "--cluster", "c.yaml")
        yield Case(
            f"plan/{name}",
            arguments,
            {**PLAN.around, "plan.yaml": SHORT_PLAN, **files},
            allowed=frozenset({2, 3}),
            why="where Dask is not installed, that is said first",
        )


def _records() -> Iterator[Case]:
    """What an earlier matrix is said to have left in the folder."""
    texts: dict[str, Content] = {
        "brackets": b"[" * 60_000,
        "a-list": b"[]",
        "nothing": b"{}",
        "5000-digits": b'{"schema_version": ' + b"1" * 5000 + b"}",
        "a-key-twice": b'{"schema_version": 1, "schema_version": 1}',
        "latin-1": b'{"plan": "\xe9"}',
        **PLACES,
    }
    for name, content in texts.items():
        files = {**PLAN.around, "plan.yaml": SHORT_PLAN, "out": tree({"matrix.json": content})}
        yield Case(f"plan/record-{name}", PLAN.arguments, files)
    outs: dict[str, Content] = {name: PLACES[name] for name in ("pipe", "empty", "link-to-itself", "endless-device")}
    for name, content in outs.items():
        files = {**PLAN.around, "plan.yaml": SHORT_PLAN, "out": content}
        yield Case(f"out/matrix-into-{name}", ("matrix", "plan.yaml", "--out", "out"), files)


def _stores() -> Iterator[Case]:
    """The job with an empty cache, and a store that strangers wrote."""

    def spoilt(change: Callable[[Path], object]) -> dict[str, Content]:
        return {**job_files(), ".spoilt": lambda path: change(case_folder(path) / STORE)}

    def blobs(content: Callable[[Path], bytes], *, bound: bool) -> Callable[[Path], None]:
        """Every content replaced; `bound`: under a name of its own, which the bindings say."""

        def change(store: Path) -> None:
            now = {}
            for path in sorted((store / "blobs").iterdir()):
                path.write_bytes(content(path))
                if bound:
                    now[path.name] = (file_sha256(path), path.stat().st_size)
                    path.rename(path.with_name(now[path.name][0]))
            for path in sorted((store / "bindings").iterdir()) if bound else ():
                binding = json.loads(path.read_text())
                for file in binding["files"]:
                    file["sha256"], file["size"] = now[file["sha256"]]
                path.write_text(json.dumps(binding))

        return change

    def bindings(change: Callable[[dict], object]) -> Callable[[Path], None]:
        def spoil(store: Path) -> None:
            for path in sorted((store / "bindings").iterdir()):
                binding = json.loads(path.read_text())
                change(binding)
                path.write_text(json.dumps(binding))

        return spoil

    def each(part: str, content: Content) -> Callable[[Path], None]:
        def change(store: Path) -> None:
            for path in sorted((store / part).iterdir()):
                path.unlink()
                path.write_bytes(content) if isinstance(content, bytes) else content(path)

        return change

    def first(binding: dict) -> dict:
        return binding["files"][0]

    unkeyed: dict[str, Callable[[Path], object]] = {
        "noise-in-every-content": blobs(noise, bound=False),
        "every-content-cut": blobs(lambda path: path.read_bytes()[:7], bound=False),
        "every-content-a-pipe": each("blobs", os.mkfifo),
        "every-content-a-device": each("blobs", link("/dev/zero")),
        "every-content-of-8-gib": each("blobs", sparse(8 << 30)),
        "every-content-a-folder": each("blobs", tree({})),
        "every-binding-a-pipe": each("bindings", os.mkfifo),
        "every-binding-a-device": each("bindings", link("/dev/zero")),
        "every-binding-of-8-gib": each("bindings", sparse(8 << 30)),
        "every-binding-brackets": each("bindings", b"[" * 60_000),
        "every-binding-of-5000-digits": each("bindings", b'{"name": ' + b"9" * 5000 + b"}"),
        "paths-that-climb": bindings(lambda binding: first(binding).update(path="../../EXECUTED")),
        "absolute-paths": bindings(lambda binding: first(binding).update(path="/tmp/EXECUTED")),
        "paths-with-a-newline": bindings(lambda binding: first(binding).update(path="x\n::error::PWNED")),
        "paths-of-the-manifest": bindings(lambda binding: first(binding).update(path="manifest.json")),
        "sizes-of-an-exabyte": bindings(lambda binding: first(binding).update(size=1 << 60)),
        "negative-sizes": bindings(lambda binding: first(binding).update(size=-1)),
        "a-file-twice": bindings(lambda binding: binding["files"].append(first(binding))),
        "another-name": bindings(lambda binding: binding.update(name="x\n::error::PWNED")),
        "a-million-folders": bindings(lambda binding: binding.update(empty_folders=[f"{n}" for n in range(200_000)])),
    }  # fmt: skip
    believed = {
        "pickles-that-bindings-name": blobs(lambda path: pickle.dumps(Payload(case_folder(path))), bound=True),
        "noise-that-bindings-name": blobs(noise, bound=True),
        "nothing-that-bindings-name": blobs(lambda path: b"", bound=True),
        "brackets-that-bindings-name": blobs(lambda path: b"[" * 60_000, bound=True),
        "arrays-of-terabytes-that-bindings-name": blobs(lambda path: _array("(1099511627776,)"), bound=True),
        "arrays-of-nan-that-bindings-name": blobs(lambda path: _array("(4, 8)", b"\0\0\xc0\x7f" * 32), bound=True),
    }
    why = "what is not as it was written is made anew: the verdict of the undisturbed job, or refused"
    for name, change in unkeyed.items():
        yield Case(f"store/{name}", STORED, spoilt(change), allowed=ANY, why=why, stored=True)
    for name, change in believed.items():
        pickled = name.startswith("pickles")
        fields = {"why": why, "stored": True, "runs_code": pickled}
        keyed = (*STORED, "--store-key", "key.pem")
        files = {**spoilt(change), "key.pem": later(_public_key)}
        yield Case(f"store/{name}-and-no-key-has-signed", keyed, files, allowed=ANY, **fields)
        yield Case(
            f"store/{name}-and-anybody-is-believed",
            STORED,
            spoilt(change),
            allowed=ANY | {3},
            why="without a key whoever writes there is believed: what it is given is refused, or fails as a runtime",
            runs_code=pickled,
            stored=True,
            figures=not name.startswith("noise"),  # which may be embeddings still, of other people
        )
    roots: dict[str, Content] = {name: PLACES[name] for name in ("pipe", "empty", "dangling-link", "endless-device")}
    roots |= {
        "a-folder-of-pipes": tree({"blobs": os.mkfifo, "bindings": os.mkfifo}),
        "a-folder-of-links": tree({"blobs": link("/etc"), "bindings": link("/etc")}),
        "a-folder-of-files": tree({"blobs": b"", "bindings": b""}),
    }
    for name, content in roots.items():

        def place(path: Path, content: Content = content) -> None:
            root = case_folder(path) / STORE
            shutil.rmtree(root, ignore_errors=True)
            root.write_bytes(content) if isinstance(content, bytes) else content(root)

        files = {**job_files(), ".spoilt": place}
        yield Case(
            f"store/root-is-{name}", STORED, files, allowed=ANY, why="a store that is away ends no run", stored=True
        )
    keys: dict[str, Content] = {
        "noise": PLACES["noise"],
        "pipe": os.mkfifo,
        "endless-device": link("/dev/zero"),
        "brackets": b"-----BEGIN PUBLIC KEY-----\n" + b"[" * 60_000 + b"\n-----END PUBLIC KEY-----\n",
    }
    for name, content in keys.items():
        yield Case(f"store/key-{name}", (*STORED, "--store-key", "key.pem"), {**job_files(), "key.pem": content})
    for name, url in {
        "a-newline": "s3://x\n::error::PWNED",
        "another-kind": "file:///tmp",
        "escapes": "s3://\x1b[31m",
    }.items():
        yield Case(f"store/address-with-{name}", (*JOB, "--store", url), job_files())


def _array(shape: str, data: bytes = b"") -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def _public_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(serialization.Encoding.PEM, form)
