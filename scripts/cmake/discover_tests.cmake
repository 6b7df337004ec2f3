# Asks a test program for its groups, and writes an add_test for each.
execute_process(COMMAND ${EMULATOR} "${PROGRAM}" --list
    OUTPUT_VARIABLE groups OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" groups "${groups}")
set(text "")
foreach(group ${groups})
    set(command "")
    foreach(part ${EMULATOR} "${PROGRAM}" "${group}")
        string(APPEND command " [==[${part}]==]")
    endforeach()
    string(APPEND text "add_test([==[${NAME}:${group}]==]${command})\n"
        "set_tests_properties([==[${NAME}:${group}]==] PROPERTIES TIMEOUT 300 "
        "SKIP_REGULAR_EXPRESSION \"skipped: \" WORKING_DIRECTORY [==[${SOURCE}]==])\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
