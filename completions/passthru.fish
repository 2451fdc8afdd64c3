# SPDX-License-Identifier: GPL-2.0-or-later
#
# fish completion of passthru(1). Verbs, options and what each of them takes are read from --help, so that nothing has
# to be added here for a new one: "--group expand|strict" takes one of these words, "--device ADDRESS" an address.

# The program, on the --root of the command line.
function __passthru_run
    set -l root (__passthru_root)
    if test -n "$root"
        command passthru --root $root $argv 2>/dev/null
    else
        command passthru $argv 2>/dev/null
    end
end

function __passthru_root
    set -l words (commandline -opc)
    for i in (seq (count $words))
        switch $words[$i]
            case '--root=*'
                string replace -- --root= '' $words[$i]
            case --root
                echo $words[(math $i + 1)] 2>/dev/null
        end
    end | tail -n 1 | string replace -r '^~' $HOME
end

# Names that passthru takes: profiles, leases, and what libvirt has.
function __passthru_domains
    set -l root (__passthru_root)
    begin
        for file in $root/{etc,run,usr/lib}/passthru/domains/*.conf
            string replace -r '.*/(.*)\.conf$' '$1' $file
        end
        __passthru_run status --json | string replace -rf '^ *"domain": *"(.*)",*$' '$1'
        if test -z "$root"
            virsh -q -r -c qemu:///system list --all --name 2>/dev/null
        end
    end | string match -r '^[A-Za-z0-9_][A-Za-z0-9._-]*$' | sort -u
end

# "WORD<tab>TEXT" of the members $argv[1] and $argv[2] of the JSON on standard input.
function __passthru_json
    set -l word
    while read -l line
        if string match -qr "^ *\"$argv[1]\": " -- $line
            set word (string replace -r '.*": "(.*)",?$' '$1' -- $line)
        else if string match -qr "^ *\"$argv[2]\": " -- $line
            printf '%s\t%s\n' $word (string replace -r '.*": "(.*)",?$' '$1' -- $line)
        end
    end
end

# The candidates for what --help calls $argv[1].
function __passthru_kind
    switch $argv[1]
        case DIR
            __fish_complete_directories (commandline -ct | string replace -r '^--[a-z-]+=' '')
        case FILE
            __fish_complete_path (commandline -ct | string replace -r '^--[a-z-]+=' '')
        case DOMAIN
            __passthru_domains
        case LOADER
            __passthru_run boot loaders --json | __passthru_json name title
        case ADDRESS
            __passthru_run groups --json | __passthru_json address name
        case '*'
            string split '|' -- $argv[1] | string match -r '^[a-z].*'
    end
end

# "--name VALUE<tab>TEXT" of each option in the lines of a help.
function __passthru_options
    string replace -rf '^ +(--[a-z-]+(?: [^ ]+)?)(?:  +(.*))?$' '$1\t$2' -- $argv
end

# Reads --help of a verb: what its argument number $argv[2] may be.
function __passthru_argument
    awk -v verb=$argv[1] -v wanted=$argv[2] '
        /^(Usage:|      ) passthru/ {
            n = 0
            for (i = 1; i <= NF && $i != verb; i++);
            while (++i <= NF) {
                if ($i ~ /^\[?--/) {
                    if ($i !~ /\]$/ && $(i + 1) !~ /^\[/)
                        i++
                    continue
                }
                if ($i ~ /OPTION/)
                    continue
                if (match($i, /[a-z_]+=/)) {
                    print substr($i, RSTART, RLENGTH)
                    continue
                }
                rest = $i ~ /\.\.\.$/
                gsub(/[][]|\.\.\./, "", $i)
                if (++n == wanted || (rest && wanted > n))
                    print $i
            }
        }'
end

function __passthru_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l help (command passthru --help 2>/dev/null)
    set -l options (__passthru_options $help)
    set -l verb
    set -l arguments 0
    set -l value

    for word in $words[2..-1]
        if test -n "$value"
            set value
            continue
        end
        switch $word
            case '-*=*'
            case '-*'
                set value (string match -r "^$word [^\t]+" -- $options | string replace -r '.* ' '')
            case '*'
                if test -n "$verb"
                    set arguments (math $arguments + 1)
                else
                    set verb $word
                    set help (command passthru $verb --help 2>/dev/null)
                    set -a options (__passthru_options $help)
                end
        end
    end

    if test -n "$value"
        __passthru_kind $value[1]
    else if string match -q -- '--*=*' $current
        set -l name (string split -m 1 = -- $current)[1]
        set value (string match -r "^$name [^\t]+" -- $options | string replace -r '.* ' '')
        for candidate in (__passthru_kind $value[1])
            echo $name=$candidate
        end
    else if string match -q -- '-*' $current
        string replace -r '^(--[a-z-]+)[^\t]*' '$1' -- $options | sort -u
    else if test -n "$verb"
        for kind in (string join \n $help | __passthru_argument $verb (math $arguments + 1))
            for candidate in (__passthru_kind $kind)
                # The help may have a line about it.
                set -l text (string replace -rf "^  $candidate  +(.*)" '$1' -- $help)
                string join \t -- $candidate $text[1]
            end
        end
    else
        string join \n $help | sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | while read -l name
            set -l line (string match -r "^  $name .*" -- $help)
            printf '%s\t%s\n' $name (string replace -r '.*  ' '' -- $line[1])
        end
    end
end

complete -c passthru -f -a '(__passthru_complete)'
