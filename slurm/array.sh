#!/bin/bash
# A job array: each task computes a shard of the experiment, requeueing itself as requeue.sh does, and
# a job that waits for all of them merges the shards' results:
#     sbatch slurm/array.sh
#     SHARDS=16 sbatch --array=3,7 slurm/array.sh     # two of the 16 again
# Edit the three places; README.md says which numbers.

# --- 1: how many shards, and the allocation of each
#SBATCH --array=1-16
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=2G
#SBATCH --time=12:00:00
#SBATCH --job-name=espalier
#SBATCH --output=%x-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
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
shards=${SHARDS:-$SLURM_ARRAY_TASK_MAX}
shard=${results%.h5}.shard-$SLURM_ARRAY_TASK_ID-of-$shards.h5
progress() { espalier status "$shard" 2>/dev/null | grep ' cells '; }

# The array's first task asks for the merge, once.
if [ "$SLURM_ARRAY_TASK_ID" -eq "$SLURM_ARRAY_TASK_MIN" ] && [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ]; then
  sbatch --dependency="afterany:$SLURM_ARRAY_JOB_ID" --job-name="$SLURM_JOB_NAME-merge" \
    --output=%x-%j.log --ntasks=1 --time=30 \
    --wrap="espalier merge -o '$results' '${results%.h5}'.shard-*-of-$shards.h5 &&
      espalier status --check '$results'"
fi

before=$(progress)
status=75
if [ -z "$stopped" ]; then
  $launch espalier run "$experiment" --shard "$SLURM_ARRAY_TASK_ID/$shards" -o "$shard" --quiet &
  run=$!
  wait "$run"
  status=$?
  while kill -0 "$run" 2>/dev/null; do # the signal ends wait, not the run
    wait "$run"
    status=$?
  done
  # what mpirun returns is not always what the ranks did; 2 is a mistake, which time does not mend
  [ "$status" -eq 2 ] || { espalier status --check "$shard"; status=$?; }
fi

if [ "$status" -eq 75 ]; then
  if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ] && [ "$(progress)" = "$before" ]; then
    echo "no cell was finished in this allocation: it needs more time" >&2
    exit 1
  fi
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60 # Slurm ends this script
fi
exit "$status"
