#!/bin/bash
# A chain of jobs where requeueing is not allowed: each link queues the next one before it starts, to
# run if this one fails or runs out of time, and takes it back when the experiment is done:
#     sbatch slurm/chain.sh
# Edit the three places; README.md says which numbers.

# --- 1: the allocation of each link
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=12:00:00
#SBATCH --job-name=espalier
#SBATCH --output=%x-%j.log
#SBATCH --no-requeue
#SBATCH --signal=B:USR1@120

stopped='' run=''
trap 'stopped=1; [ -z "$run" ] || kill -USR1 "$run"' USR1 # time is nearly up

# --- 2: the experiment, and where its results go (a shared file system, not the node's own disk)
experiment=experiments/demo.yaml
results=results/demo.h5

# --- 3: programs, data, and how ranks start
export PATH=$PWD/build/release:$PATH
launch="mpirun --enable-recovery --map-by slot:PE=$SLURM_CPUS_PER_TASK"

# --- nothing below needs editing
progress() { espalier status "$results" 2>/dev/null | grep ' cells '; }

# Slurm's copy of this script is what the next link runs.
link=${ESPALIER_LINK:-1}
next=$(ESPALIER_LINK=$((link + 1)) sbatch --parsable --dependency="afternotok:$SLURM_JOB_ID" \
  --kill-on-invalid-dep=yes "$0") || next=

before=$(progress)
status=75
if [ -z "$stopped" ]; then
  $launch espalier run "$experiment" -o "$results" --quiet &
  run=$!
  wait "$run"
  status=$?
  while kill -0 "$run" 2>/dev/null; do # the signal ends wait, not the run
    wait "$run"
    status=$?
  done
  # what mpirun returns is not always what the ranks did; 2 is a mistake, which time does not mend
  [ "$status" -eq 2 ] || { espalier status --check "$results"; status=$?; }
fi

if [ "$status" -eq 75 ] && [ "$link" -gt 1 ] && [ "$(progress)" = "$before" ]; then
  echo "no cell was finished in this allocation: it needs more time" >&2
  status=1
fi
if [ "$status" -ne 75 ] && [ -n "$next" ]; then
  scancel "$next"
fi
exit "$status"
