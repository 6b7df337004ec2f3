# Writes the man page OUTPUT from the help of PROGRAM, so that the two cannot differ.
function(help result)
    execute_process(COMMAND ${EMULATOR} "${PROGRAM}" ${ARGN} --help
        OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    # In roff a backslash is an escape, a hyphen is not a minus, and a line that begins with a dot or
    # an apostrophe is a request.
    string(REPLACE "\\" "\\e" text "${text}")
    string(REPLACE "-" "\\-" text "${text}")
    string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
    set(${result} ".nf\n${text}.fi\n" PARENT_SCOPE)
endfunction()

help(whole)
set(page ".TH PARALLAX 1 \"\" \"parallax ${VERSION}\"
.SH NAME
parallax \\- measures neural\\-net arithmetic, trains and explains networks
.SH SYNOPSIS
.B parallax
.I COMMAND
.RI [ ARGUMENTS ]
.SH DESCRIPTION
${whole}.SH COMMANDS
")
string(REGEX MATCHALL "\n  [a-z]+ " names "${whole}")
foreach(name ${names})
    string(STRIP "${name}" name)
    help(text ${name})
    string(APPEND page ".SS parallax ${name}\n${text}")
endforeach()
file(WRITE "${OUTPUT}" "${page}")
