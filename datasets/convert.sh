#!/bin/sh
# convert.sh: writes the tables shipped in datasets/ from the packages they come from. Nobody needs it to use the course;
# it is here so that anyone can see, and check, that the tables are the packages' own, digit for digit.
#
#   sh datasets/convert.sh FOLDER [TABLE…]      writes FOLDER/TABLE.csv; without a table, all of them
#   sh datasets/convert.sh --check              the same into a temporary folder, compared with what is shipped
#
# Tables: diabetes breast-cancer iris wine, from the Debian package python3-sklearn,
#         house-votes-84 zoo ionosphere, from the Debian package r-cran-mlbench (R is needed for these),
#         karate, from the Debian package python3-networkx.

. "$(dirname "$0")/common.sh"
set -e

usage="usage: sh datasets/convert.sh (FOLDER | --check) [TABLE…]"
case "${1-}" in
    "" | --help) echo "$usage"; exit 0 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$1" = --check ]; then out=$work/out; else out=$1; fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
checking=$1
shift
[ $# -gt 0 ] || set -- diabetes breast-cancer iris wine house-votes-84 zoo ionosphere karate

unpack() { # unpack PACKAGE: its files, under $work/PACKAGE; nothing is installed
    [ -d "$work/$1" ] || (cd "$work" && apt-get download -q "$1" >&2 && dpkg-deb -x "$1"_*.deb "$1")
}

# The first line of these files is "rows,columns,class 0,class 1,…", the last column is the number of the class.
# Numbers stay the characters they were; only the class gets its name.
sklearn_classes() { # sklearn_classes FILE HEADER CLASS…
    unpack python3-sklearn
    file=$1
    echo "$2"
    shift 2
    awk -F, -v OFS=, -v names="$*" 'BEGIN { split(names, name, " ") } NR > 1 { $NF = name[$NF + 1]; print }' \
        "$work/python3-sklearn/usr/lib/python3/dist-packages/sklearn/datasets/data/$file"
}

# R's own file in, comma-separated values out: a missing value is an empty cell.
from_r() { # from_r NAME EXPRESSION
    unpack r-cran-mlbench
    rda=$work/r-cran-mlbench/usr/lib/R/site-library/mlbench/data/$1.rda
    Rscript -e "load('$rda')" -e "write.csv($2, na = '', quote = FALSE, row.names = FALSE)"
}

table_diabetes() {
    unpack python3-sklearn
    data=$work/python3-sklearn/usr/lib/python3/dist-packages/sklearn/datasets/data
    gzip -dc "$data/diabetes_data_raw.csv.gz" | tr ' ' ',' >"$work/features"
    # The target is written 1.510000000000000000e+02; all 442 are whole numbers.
    gzip -dc "$data/diabetes_target.csv.gz" | awk '$1 != int($1) { exit 1 } { printf "%d\n", $1 }' >"$work/target"
    echo "age,sex,bmi,bp,s1,s2,s3,s4,s5,s6,progression"
    paste -d , "$work/features" "$work/target"
}

table_breast_cancer() {
    header=$(awk 'BEGIN {
        count = split("radius texture perimeter area smoothness compactness concavity concave_points symmetry fractal_dimension", part, " ")
        for (i = 1; i <= count; i++) printf "mean_%s,", part[i]
        for (i = 1; i <= count; i++) printf "%s_error,", part[i]
        for (i = 1; i <= count; i++) printf "worst_%s,", part[i]
    }')
    sklearn_classes breast_cancer.csv "${header}class" malignant benign
}

table_iris() {
    sklearn_classes iris.csv "sepal_length,sepal_width,petal_length,petal_width,species" setosa versicolor virginica
}

table_wine() {
    names="alcohol,malic_acid,ash,alcalinity_of_ash,magnesium,total_phenols,flavanoids,nonflavanoid_phenols"
    names="$names,proanthocyanins,color_intensity,hue,od280_od315,proline"
    sklearn_classes wine_data.csv "$names,cultivar" class_0 class_1 class_2
}

table_house_votes_84() {
    echo "party,handicapped_infants,water_project_cost_sharing,adoption_of_the_budget_resolution,physician_fee_freeze\
,el_salvador_aid,religious_groups_in_schools,anti_satellite_test_ban,aid_to_nicaraguan_contras,mx_missile,immigration\
,synfuels_corporation_cutback,education_spending,superfund_right_to_sue,crime,duty_free_exports\
,export_administration_act_south_africa"
    from_r HouseVotes84 HouseVotes84 >"$work/votes"
    tail -n +2 "$work/votes"
}
table_zoo() { from_r Zoo "cbind(name = rownames(Zoo), as.data.frame(lapply(Zoo, function(x) if (is.logical(x)) 1L * x else x)))"; }
table_ionosphere() { from_r Ionosphere Ionosphere; }

# Row i: how often member i met each other, and the side that i took. The program numbers members from 0.
table_karate() {
    unpack python3-networkx
    awk -v OFS=, '
        /club1 = \{/ { sub(/.*\{/, ""); gsub(/[^0-9 ]/, ""); count = split($0, member, " ")
            for (i = 1; i <= count; i++) instructor[member[i]] = 1 }
        /zacharydat = """/ { for (i = 1; i <= 34; i++) printf "m%d,", i; print "side"; inside = 1; next }
        inside { last = sub(/""".*/, ""); $1 = $1; print $0, (row++ in instructor) ? "instructor" : "head"; if (last) exit }
    ' "$work/python3-networkx/usr/lib/python3/dist-packages/networkx/generators/social.py"
}

failed=0
for table in "$@"; do
    "table_$(echo "$table" | tr - _)" >"$out/$table.csv.part"
    mv "$out/$table.csv.part" "$out/$table.csv"
    if [ "$checking" = --check ]; then
        if cmp "$out/$table.csv" "$here/$table.csv"; then echo "$table: the same"; else failed=1; fi
    fi
done
exit $failed
