# Checks that the shared LIBRARY exports exactly the functions that HEADERS declare, and that ARCHIVE
# has those, and otherwise only names that begin with plx__, plx_platform_ or plx_native_.
set(declared "")
foreach(header ${HEADERS})
    file(READ "${header}" text)
    string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" " " text "${text}")
    # A type, a name and its arguments. This excludes function types, and pointers to functions, whose
    # name follows a bracket.
    string(REGEX REPLACE "typedef[^;{]*[;{]" " " text "${text}")
    string(REGEX MATCHALL "[a-zA-Z0-9_*][ \n*]+plx_[a-z0-9_]+\\(" found " ${text}")
    foreach(name ${found})
        string(REGEX REPLACE "^.*[ \n*](plx_[a-z0-9_]+)\\($" "\\1" name "${name}")
        list(APPEND declared ${name})
    endforeach()
endforeach()
list(REMOVE_DUPLICATES declared)

# names(RESULT FILE OPTIONS...): the global names that a file defines, as written in C.
function(names result file)
    execute_process(COMMAND ${NM} ${ARGN} "${file}" OUTPUT_VARIABLE text ERROR_QUIET
        COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[0-9a-f]+ [A-TV-Z] [^\n]+" lines "${text}")
    list(TRANSFORM lines REPLACE "^[0-9a-f]+ [A-Z] " "")
    if(CMAKE_HOST_APPLE) # where names start with an extra underscore
        list(TRANSFORM lines REPLACE "^_" "")
    endif()
    set(${result} ${lines} PARENT_SCOPE)
endfunction()

# none(WHAT NAMES...): records a failure if there are names.
set(failures "")
function(none what)
    if(ARGN)
        list(JOIN ARGN ", " text)
        set(failures "${failures}${what}: ${text}\n" PARENT_SCOPE)
    endif()
endfunction()

if(CMAKE_HOST_APPLE)
    names(shown "${LIBRARY}" -gU)
else()
    names(shown "${LIBRARY}" -D --defined-only)
endif()
names(kept "${ARCHIVE}" -g)
set(private "^plx_(_|platform_|native_)")

set(hidden ${declared})
list(REMOVE_ITEM hidden ${shown})
none("${LIBRARY} does not export what a header declares" ${hidden})
list(REMOVE_ITEM shown ${declared})
none("${LIBRARY} exports what no header declares" ${shown})
set(missing ${declared})
list(REMOVE_ITEM missing ${kept})
none("${ARCHIVE} lacks what a header declares" ${missing})
list(REMOVE_ITEM kept ${declared})
list(FILTER kept EXCLUDE REGEX "${private}")
none("${ARCHIVE} defines what no header declares, under a name that is not private" ${kept})
if(failures OR NOT declared)
    message(FATAL_ERROR "${failures}")
endif()
list(LENGTH declared count)
message("${count} functions")
