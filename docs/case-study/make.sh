#!/bin/sh
# Makes every document of this folder but README.md from data/, with the program
# that ANALYZE names. A test does the same and compares.
set -eu
cd "$(dirname "$0")"
"$ANALYZE" compare data/experiment.yaml --format text,html,markdown,json --output . --fail-on nodata >/dev/null
"$ANALYZE" project report.json --apim-vcpus 8 >project.txt
"$ANALYZE" plan report.json --max-loss 5% >plan.txt
# The signature is what analyze calibrate --engine go said on the machine of the study.
"$ANALYZE" estimate --experiment data/experiment.yaml --signature 1.42ms..1.8ms --verification 0.0473ms..0.0546ms >estimate.txt
"$ANALYZE" windows --tsdb data/tsdb --start 2026-11-23T06:02:00Z --end 2026-11-23T07:01:00Z >windows.txt
