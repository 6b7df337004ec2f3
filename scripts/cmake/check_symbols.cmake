# Proves by nm what the sources promise. KIND=kernels: each object defines one symbol, its table, and
# calls nothing but what compilers emit by themselves, so no faster target leaks into a slower one and
# no libm decides a result. KIND=library: nothing in it prints, aborts or exits.
set(failures "")
foreach(file ${FILES})
    execute_process(COMMAND ${NM} -g "${file}" OUTPUT_VARIABLE text ERROR_QUIET
        COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX REPLACE "\n" ";" lines "${text}")
    set(defined "")
    foreach(line ${lines})
        if(line MATCHES "^ *[Uw] (.*)$")
            set(name "${CMAKE_MATCH_1}")
            if(CMAKE_HOST_APPLE) # its names start with an underscore of their own
                string(REGEX REPLACE "^_" "" name "${name}")
            endif()
            if(KIND STREQUAL "kernels" AND NOT name MATCHES
                    "^(mem(cpy|set|move|cmp)|bzero|_GLOBAL_OFFSET_TABLE_)$")
                list(APPEND failures "${file} calls ${name}")
            elseif(KIND STREQUAL "library" AND name MATCHES
                    "^(abort|_?exit|_Exit|quick_exit|v?f?printf|puts|fputs|fputc|putc|putchar|fwrite|perror|stdout|stderr|__assert_fail|__v?f?printf_chk)$")
                list(APPEND failures "${file} uses ${name}")
            endif()
        elseif(line MATCHES "^[0-9a-f]+ [A-Z] (.*)$")
            list(APPEND defined ${CMAKE_MATCH_1})
        endif()
    endforeach()
    list(LENGTH defined count)
    if(KIND STREQUAL "kernels" AND NOT count EQUAL 1)
        list(APPEND failures "${file} defines ${count} symbols instead of its table: ${defined}")
    endif()
endforeach()
if(failures)
    list(REMOVE_DUPLICATES failures)
    list(JOIN failures "\n" failures)
    message(FATAL_ERROR "${failures}")
endif()
