"""Training started by torchrun itself, on one machine and on two network namespaces."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from neuropil.cli import main
from neuropil.runs.run_folder import Run
from neuropil.training import History

pytestmark = pytest.mark.extended

TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
# Without dropout, which differs between processes, and without a bias before the normalisation,
# whose gradient is nothing but rounding errors.
NETWORK = (
    "Convolution(8, 3, padding='same', bias=False) >> BatchNorm() >> Relu() >> MaxPooling(2) "
    ">> Flatten() >> Softmax(10)"
)
DIGITS = ("train", "--network", NETWORK, "--augment", "none", "--quiet")
FEW = ("--epochs", "3", "--optimizer", "adam", "--lr", "0.001", "--schedule", "none")
# Seconds after which a training that hangs is a failure.
PATIENCE = 300
EPOCHS = "15"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def torchrun(*arguments, count=2, **options):
    """Run the command line in several processes; return the finished process."""
    group = ("--standalone", "--nproc-per-node", str(count), "-m", "neuropil")
    return subprocess.run(
        [*TORCHRUN, *group, *map(str, arguments)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **options,
    )


def weights(run):
    return load_file(Path(run) / "weights.safetensors")


def assert_close(ours, theirs, relative):
    for key, value in weights(theirs).items():
        difference = (weights(ours)[key].double() - value.double()).norm()
        assert difference <= relative * value.double().norm(), key


def is_same(ours, theirs):
    return all(torch.equal(value, weights(ours)[key]) for key, value in weights(theirs).items())


def epoch_of(folder):
    """Return the number of steps of the latest checkpoint; 0 without one."""
    names = (path.stem for path in (folder / "checkpoints").glob("step-*.pt"))
    return max((int(name.removeprefix("step-")) for name in names), default=0)


def start_training(out, *arguments):
    """Start a long training, and return its process once a checkpoint of it is there."""
    group = ("--standalone", "--nproc-per-node", "2", "-m", "neuropil")
    process = subprocess.Popen(
        [*TORCHRUN, *group, *DIGITS, "--epochs", EPOCHS, "--out", str(out), *arguments],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not epoch_of(out):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


def worker(process, rank):
    """Return the id of a process that torchrun has started.

    Raises:
        AssertionError: If there is none of this rank.
    """
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        if f"RANK={rank}".encode() in variables:
            return int(child)
    raise AssertionError(children)


@pytest.fixture(scope="module", name="whole")
def uninterrupted(tmp_path_factory):
    """Return the run of a training of two processes that ran through."""
    out = tmp_path_factory.mktemp("torchrun") / "whole"
    run = torchrun(*DIGITS, "--epochs", EPOCHS, "--out", out)
    assert run.returncode == 0, run.stderr
    return out


def test_the_digits_give_the_weights_of_one_process(tmp_path):
    run = torchrun(*DIGITS, *FEW, "--out", tmp_path / "two")
    assert (run.returncode, run.stdout) == (0, f"{tmp_path / 'two'}\n")
    assert main([*DIGITS, *FEW, "--out", str(tmp_path / "one")]) == 0
    assert_close(tmp_path / "two", tmp_path / "one", 1e-6)
    figures = [Run.open(tmp_path / name).figures["test"] for name in ("two", "one")]
    assert figures[0] == pytest.approx(figures[1], rel=1e-5)
    assert "</html>" in (tmp_path / "two" / "report.html").read_text()


def test_pictures_that_workers_read_from_disk_give_the_weights_of_one_process(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(96):
        kind = number % 2
        folder = tmp_path / "pictures" / ("dark", "light")[kind]
        folder.mkdir(parents=True, exist_ok=True)
        size = ((12, 16), (16, 12), (14, 14))[number % 3]
        pixels = generator.integers(100 * kind, 155 + 100 * kind, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    network = (
        "Convolution(8, 3, bias=False) >> BatchNorm() >> Relu() >> GlobalPooling('avg') "
        ">> Softmax(2)"
    )
    options = ["train", "--data", str(tmp_path / "pictures"), "--image-size", "buckets"]
    options += ["--network", network, "--augment", "none", "--batch-size", "16", *FEW]
    run = torchrun(*options, "--quiet", "--out", tmp_path / "two")
    assert run.returncode == 0, run.stderr
    assert main([*options, "--quiet", "--out", str(tmp_path / "one")]) == 0
    assert_close(tmp_path / "two", tmp_path / "one", 1e-6)


def test_a_recipe_is_chosen_once_for_all_processes(tmp_path):
    rows = [f"{x % 7},{x % 5},{x % 7 + (x * 37) % 11 / 5}" for x in range(120)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["a,b,y", *rows, ""]))
    options = ["train", "--data", str(table), "--threads", "1", "--quiet", "--out"]
    run = torchrun(*options, tmp_path / "two")
    assert run.returncode == 0, run.stderr
    assert main([*options, str(tmp_path / "one")]) == 0
    choices = {Run.open(tmp_path / name).settings["choice"] for name in ("two", "one")}
    assert len(choices) == 1
    assert choices.pop().startswith("linear model: ")
    assert_close(tmp_path / "two", tmp_path / "one", 1e-6)


def test_a_killed_process_ends_all_and_the_rest_is_bit_for_bit(tmp_path, whole):
    process = start_training(tmp_path / "run")
    os.kill(worker(process, 1), signal.SIGKILL)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert err.count("error: another process of this training has ended") == 1
    copy = shutil.copytree(tmp_path / "run", tmp_path / "copy")
    assert torchrun("resume", tmp_path / "run", "--quiet").returncode == 0
    assert is_same(tmp_path / "run", whole)
    # Another number of processes goes on from the same state.
    assert torchrun("resume", copy, "--quiet", count=3).returncode == 0
    assert len(History.load(copy / "history.csv")) == int(EPOCHS)


def test_an_interruption_of_torchrun_saves_and_says_how_to_resume(tmp_path, whole):
    process = start_training(tmp_path / "run")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    command = f"torchrun --nproc-per-node 2 -m neuropil resume {tmp_path / 'run'}"
    assert re.search(rf"^interrupted in epoch \d+; resume with: {command}$", err, re.MULTILINE)
    assert Run.open(tmp_path / "run").status == "interrupted"
    assert torchrun("resume", tmp_path / "run", "--quiet").returncode == 0
    assert is_same(tmp_path / "run", whole)


def test_a_process_that_does_not_answer_ends_the_training(tmp_path, monkeypatch):
    monkeypatch.setitem(ENVIRONMENT, "NEUROPIL_TIMEOUT", "5")
    process = start_training(tmp_path / "run")
    os.kill(worker(process, 1), signal.SIGSTOP)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "did not answer within 5 s; resume with: torchrun" in err


def test_sharded_weights_are_saved_whole_and_resumed(tmp_path, neuropil):
    runs = {name: tmp_path / name for name in ("whole", "run", "plain")}
    assert torchrun(*DIGITS, *FEW, "--shard", "--out", runs["whole"]).returncode == 0
    assert main([*DIGITS, *FEW, "--out", str(runs["plain"])]) == 0
    assert_close(runs["whole"], runs["plain"], 1e-5)
    process = start_training(runs["run"], "--shard", *FEW[2:])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert torchrun("evaluate", runs["run"]).returncode == 0
    result = neuropil("resume", runs["run"], "--quiet")
    assert result.code == 0
    assert "note: the interrupted training had processes=2, this one has" in result.err
    assert len(History.load(runs["run"] / "history.csv")) == int(EPOCHS)


@pytest.fixture(name="hosts")
def two_hosts():
    """Two network namespaces joined by a cable, by name and address."""
    suffix = os.getpid()
    names = f"neuropil-a-{suffix}", f"neuropil-b-{suffix}"
    links = f"npa{suffix % 10**6}", f"npb{suffix % 10**6}"
    addresses = "10.77.0.1", "10.77.0.2"
    commands = [f"netns add {name}" for name in names]
    commands += [f"link add {links[0]} netns {names[0]} type veth peer name {links[1]} "]
    commands[-1] += f"netns {names[1]}"
    for name, link, address in zip(names, links, addresses, strict=True):
        commands += [f"-n {name} addr add {address}/24 dev {link}"]
        commands += [f"-n {name} link set {each} up" for each in ("lo", link)]
    try:
        for command in commands:
            try:
                subprocess.run(["ip", *command.split()], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                reason = getattr(error, "stderr", b"").decode().strip() or str(error)
                pytest.skip(f"network namespaces cannot be made here: {reason}")
        yield list(zip(names, links, addresses, strict=True))
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def start_on(hosts, number, arguments, hidden):
    """Start torchrun on a host; the second one does not see a folder of the first."""
    name, link, address = hosts[number]
    group = (
        *("--nnodes", "2", "--nproc-per-node", "1", "--rdzv-backend", "c10d"),
        *("--rdzv-endpoint", f"{hosts[0][2]}:29511", "--rdzv-id", "test"),
        *("--rdzv-conf", f"is_host={int(number == 0)}", "--local-addr", address),
    )
    command = [*TORCHRUN, *group, "-m", "neuropil", *map(str, arguments)]
    hiding = f'mount -t tmpfs none {hidden} && "$@"; code=$?; ls {hidden}; exit $code'
    wrapper = [] if number == 0 else ["sh", "-c", hiding, "sh"]
    return subprocess.Popen(
        ["ip", "netns", "exec", name, *wrapper, *command],
        env={**ENVIRONMENT, "GLOO_SOCKET_IFNAME": link},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_hosts_train_together_and_only_the_first_has_the_run(tmp_path, hosts):
    folder = tmp_path / "runs"
    folder.mkdir()
    arguments = (*DIGITS, *FEW, "--out", folder / "two")
    both = [start_on(hosts, number, arguments, folder) for number in (0, 1)]
    said = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == f"{folder / 'two'}\n"
    assert said[1][0] == ""  # neither a message nor a file
    assert main([*DIGITS, *FEW, "--out", str(folder / "one")]) == 0
    assert_close(folder / "two", folder / "one", 1e-6)


def test_an_error_on_the_second_host_ends_both(tmp_path, hosts):
    data = tmp_path / "data"
    data.mkdir()
    rows = [f"{x},{'low' if x < 40 else 'high'}" for x in range(80)]
    (data / "table.csv").write_text("\n".join(["x,y", *rows, ""]))
    arguments = ("train", "--data", data / "table.csv", "--out", tmp_path / "run")
    both = [start_on(hosts, number, arguments, data) for number in (0, 1)]
    said = [process.communicate(timeout=PATIENCE) for process in both]
    assert all(process.returncode != 0 for process in both)
    assert "error: " in said[1][1]
    assert "table.csv" in said[1][1]
    assert not (tmp_path / "run" / "report.html").exists()
