# SPDX-License-Identifier: GPL-2.0-or-later
#
# bash completion of passthru(1). Verbs, options and what each of them takes are read from --help, so that nothing has
# to be added here for a new one: "--group expand|strict" takes one of these words, "--device ADDRESS" an address.

# The program of the command line, on its --root.
_passthru_run()
{
	"${words[0]}" ${root:+--root "$root"} "$@" 2>/dev/null
}

# Names that passthru takes, one a line: profiles, leases, and what libvirt has.
_passthru_domains()
{
	local file
	{
		for file in "$root"/{etc,run,usr/lib}/passthru/domains/*.conf; do
			file=${file##*/}
			echo "${file%.conf}"
		done
		_passthru_run status --json | sed -n 's/^ *"domain": *"\(.*\)",*$/\1/p'
		[[ $root ]] || virsh -q -r -c qemu:///system list --all --name 2>/dev/null
	} | grep -E '^[A-Za-z0-9_][A-Za-z0-9._-]*$' | sort -u
}

# "ADDRESS  NAME", one a line.
_passthru_addresses()
{
	_passthru_run groups --json | sed -n '
		/^ *"address": *"/ { s///; s/",*$//; h }
		/^ *"name": *"/ { s///; s/",*$//; s/\\"/"/g; G; s/\(.*\)\n\(.*\)/\2  \1/p }'
}

_passthru_words()
{
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# Adds the candidates for what --help calls $1.
_passthru_kind()
{
	local line
	case $1 in
	[a-z]*) _passthru_words "${1//|/ }" ;;
	DIR) _filedir -d ;;
	FILE) _filedir ;;
	DOMAIN) _passthru_words "$(_passthru_domains)" ;;
	LOADER) _passthru_words "$(_passthru_run boot loaders --json | sed -n 's/^ *"name": *"\(.*\)",*$/\1/p')" ;;
	ADDRESS)
		while read -r line; do
			[[ $line != "$cur"* ]] || COMPREPLY+=("$line")
		done < <(_passthru_addresses)
		# A list that is only shown has the names too.
		[[ ${COMP_TYPE-} == 63 && ${#COMPREPLY[@]} -gt 1 ]] || COMPREPLY=("${COMPREPLY[@]%%  *}")
		__ltrim_colon_completions "$cur"
		;;
	esac
}

# Reads --help: "--name VALUE" of each option, one a line.
_passthru_options()
{
	sed -nE 's/^ +(--[a-z-]+)( ([^ ]+))?(  .*)?$/\1 \3/p' <<<"$1"
}

# Reads --help of a verb: what its argument number $2 may be, one a line.
_passthru_argument()
{
	awk -v verb="$verb" -v wanted="$2" '
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
		}' <<<"$1"
}

_passthru()
{
	local root="" verb="" help options value i n=0 kind
	# shellcheck disable=SC2034 # set by _init_completion
	local cur prev words cword split
	_init_completion -s -n : || return
	help=$("${words[0]}" --help 2>/dev/null)
	options=$(_passthru_options "$help")

	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--root=*) root=${words[i]#*=} ;;
		--root) root=${words[i + 1]} ;;
		esac
		case ${words[i]} in
		-*=*) ;;
		-*)
			value=$(sed -n "s/^${words[i]} //p" <<<"$options")
			[[ ! $value ]] || ((++i))
			;;
		*)
			if [[ $verb ]]; then
				((++n))
			else
				verb=${words[i]}
				help=$("${words[0]}" "$verb" --help 2>/dev/null)
				options+=$'\n'$(_passthru_options "$help")
			fi
			;;
		esac
	done
	root=${root/#\~/$HOME}

	if [[ $prev == --* ]]; then
		kind=$(sed -n "s/^$prev //p" <<<"$options" | head -n 1)
		if [[ $kind ]]; then
			_passthru_kind "$kind"
			return
		fi
	fi
	if [[ $cur == -* ]]; then
		_passthru_words "$(cut -d ' ' -f 1 <<<"$options" | sort -u)"
	elif [[ $verb ]]; then
		for kind in $(_passthru_argument "$help" $((n + 1))); do
			_passthru_kind "$kind"
		done
		[[ ${COMPREPLY-} != *= ]] || compopt -o nospace 2>/dev/null
	else
		_passthru_words "$(sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$help")"
	fi
}

complete -F _passthru passthru
