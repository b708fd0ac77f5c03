# generate.awk: from a chapter's exercise.h, both sides of the wire and what belongs to them.
#
#   awk -v what=stubs|adapters|reference|names|redefine -f tests/exercises/signatures.awk -f generate.awk exercise.h
#
#   stubs      (C) the student's function names, for the grader: each hands its call to the worker; and the
#   time limits
#   adapters   (C) for the worker: each calls the student's function
#   reference  (C header) for hidden tests: the same signatures, called reference_…, the solution; and same_…, which call the
#   student's function and the reference, and compare what they return and what they write
#   names      the functions, one a line: what may be seen of the student's object
#   redefine   objcopy's pairs "name reference_name"

function write_stub(    i, member) {
    print "\n// TASK " task "\n" result " " fn "(" parameters() ")\n{\n    Argument arguments[] = {"
    for (i = 1; i <= count; i++) {
        member = type[i] == "Matrix" ? "matrix" : kind[i] == "string" ? "text" : "number"
        print "        {.kind = " wire[kind[i]] ", .name = \"" name[i] "\", ." member " = " name[i] "},"
    }
    print "    };"
    call = "call_worker(" index_ ", \"" fn "\", arguments, " count ")"
    if (result == "void") print "    " call ";\n}"
    else print "    return " (result == "int" ? "whole_number(" call ")" : "(float)" call) ";\n}"
}

function write_adapter(    i, list) {
    for (i = 1; i <= count; i++) {
        list = list (i > 1 ? ", " : "")
        if (type[i] == "Matrix") list = list "a[" i - 1 "].matrix"
        else if (kind[i] == "string") list = list "a[" i - 1 "].text"
        else list = list "(" kind[i] ")a[" i - 1 "].number"
    }
    print "#pragma weak " fn "\nstatic double call_" fn "(const Argument *a)\n{\n    if (!" fn ") worker_missing();"
    if (result == "void") print "    " fn "(" list ");\n    return 0.0;\n}\n"
    else print "    return (double)" fn "(" list ");\n}\n"
    list = ""
    for (i = 1; i <= count; i++) list = list (i > 1 ? ", " : "") wire[kind[i]]
    rows = rows "    {\"" fn "\", " count ", {" list "}, call_" fn "},\n"
}

function write_reference(    i, ours, theirs) {
    print result " reference_" fn "(" parameters() ");"
    print "static inline void same_" fn "(float tolerance_, " parameters() ")\n{\n    Arena *arena_ = arena_new();"
    for (i = 1; i <= count; i++) {
        if (kind[i] == "out") print "    Matrix expected_" name[i] " = matrix_copy(arena_, " name[i] ");"
        ours = ours (i > 1 ? ", " : "") name[i]
        theirs = theirs (i > 1 ? ", " : "") (kind[i] == "out" ? "expected_" : "") name[i]
    }
    if (result == "void") {
        print "    " fn "(" ours ");\n    reference_" fn "(" theirs ");"
    } else {
        print "    " result " got_ = " fn "(" ours ");\n    " result " expected_ = reference_" fn "(" theirs ");"
        print "    hidden_close((float)got_, (float)expected_, " (result == "int" ? "0.0f" : "tolerance_") ");"
    }
    for (i = 1; i <= count; i++) if (kind[i] == "out") print "    hidden_close_matrix(" name[i] ", expected_" name[i] ", tolerance_);"
    if (result == "int") print "    (void)tolerance_;"
    print "    arena_free(arena_);\n}\n"
}

BEGIN {
    wire["in"] = "ARGUMENT_IN"; wire["out"] = "ARGUMENT_OUT"; wire["string"] = "ARGUMENT_STRING"
    wire["int"] = wire["float"] = "ARGUMENT_NUMBER"
    if (what == "stubs") print "#include \"exercise.h\"\n#include \"tests/grader/caller.h\""
    if (what == "adapters") print "#include \"exercise.h\"\n#include \"tests/grader/worker.h\"\n"
    if (what == "reference") print "#pragma once\n#include \"exercise.h\"\n#include \"tests/grader/hidden.h\"\n"
}

function read_task() {
    if (count > 12) fail("at most 12 arguments")
    index_ = tasks++
    limits = limits "    {\"" task "\", \"" fn "\", " seconds "},\n"
    if (what == "stubs") write_stub()
    if (what == "adapters") write_adapter()
    if (what == "reference") write_reference()
    if (what == "names") print fn
    if (what == "redefine") print fn " reference_" fn
}

END {
    if (failed) exit 1
    if (what == "stubs")
        print "\nconst TaskLimit task_limits[] = {\n" limits "};\nconst int task_limit_count = " tasks + 0 ";"
    if (what == "adapters")
        print "const Adapter adapters[] = {\n" rows "};\nconst uint32_t adapter_count = " tasks + 0 ";"
}
