#compdef passthru
# SPDX-License-Identifier: GPL-2.0-or-later
#
# zsh completion of passthru(1). Verbs, options and what each of them takes are read from --help, so that nothing has
# to be added here for a new one: "--group expand|strict" takes one of these words, "--device ADDRESS" an address.

# The program of the command line, on its --root.
_passthru_run() {
	${words[1]} ${root:+--root} ${root:+$root} "$@" 2>/dev/null
}

# Names that passthru takes: profiles, leases, and what libvirt has.
_passthru_domains() {
	local -a found
	local folder
	for folder in etc run usr/lib; do
		found+=($root/$folder/passthru/domains/*.conf(N:t:r))
	done
	found+=(${(f)"$(_passthru_run status --json | sed -n 's/^ *"domain": *"\(.*\)",*$/\1/p')"})
	[[ -n $root ]] || found+=(${(f)"$(virsh -q -r -c qemu:///system list --all --name 2>/dev/null)"})
	reply=(${(M)found:#[A-Za-z0-9_][A-Za-z0-9._-]#})
}

# Fills reply with "WORD:TEXT" of the members $1 and $2 of the JSON on standard input.
_passthru_json() {
	local line word text
	reply=()
	while read -r line; do
		text=${${${line%,}#*': "'}%'"'}
		case $line in
		'"'$1'": '*) word=${text//:/\\:} ;;
		'"'$2'": '*) reply+=("$word:$text") ;;
		esac
	done
}

# Offers the candidates for what --help calls $1.
_passthru_kind() {
	local -a reply
	case $1 in
	DIR) _files -/ ;;
	FILE) _files ;;
	*=) compadd -S "" -- $1 ;;
	DOMAIN)
		_passthru_domains
		_describe -t domains domain reply
		;;
	LOADER)
		_passthru_json name title < <(_passthru_run boot loaders --json)
		_describe -t loaders 'boot loader' reply
		;;
	ADDRESS)
		_passthru_json address name < <(_passthru_run groups --json)
		_describe -t devices 'PCI device' reply
		;;
	*)
		# The help may have a line about each.
		local word line
		for word in ${(M)${(s:|:)1}:#[a-z]*}; do
			line=${(M)help:#  $word  *}
			reply+=("$word${line:+:${${line#  $word}## #}}")
		done
		_describe -t values value reply
		;;
	esac
}

# Fills reply with "--name[ VALUE]:TEXT" of each option in a help.
_passthru_options() {
	local line
	reply=()
	for line in "$@"; do
		[[ $line =~ '^ +(--[a-z-]+( [^ ]+)?)($|  +(.*)$)' ]] && reply+=("$match[1]:$match[4]")
	done
}

# Reads --help of a verb: what its argument number $2 may be.
_passthru_argument() {
	awk -v verb=$1 -v wanted=$2 '
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
}

_passthru() {
	emulate -L zsh
	setopt extended_glob
	local -a help reply options
	local root verb value word option kind
	integer i arguments=0

	help=("${(@f)$(${words[1]} --help 2>/dev/null)}")
	_passthru_options $help
	options=($reply)

	for ((i = 2; i < CURRENT; i++)); do
		word=$words[i]
		if [[ -n $value ]]; then
			[[ $words[i-1] != --root ]] || root=$word
			value=
		elif [[ $word == --root=* ]]; then
			root=${word#*=}
		elif [[ $word == -*=* ]]; then
			:
		elif [[ $word == -* ]]; then
			option=${(M)options:#$word *}
			[[ -z $option ]] || value=${${option%%:*}##* }
		elif [[ -n $verb ]]; then
			((++arguments))
		else
			verb=$word
			help=("${(@f)$(${words[1]} $verb --help 2>/dev/null)}")
			_passthru_options $help
			options+=($reply)
		fi
	done
	root=${root/#\~/$HOME}
	word=$words[CURRENT]

	if [[ -z $value && $word == --*=* ]]; then
		option=${(M)options:#${word%%=*} *}
		value=${${option%%:*}##* }
		compset -P '*='
	fi
	if [[ -n $value ]]; then
		_passthru_kind $value
	elif [[ $word == -* ]]; then
		reply=(${options/ [^:]##:/:})
		_describe -o option reply
	elif [[ -n $verb ]]; then
		for kind in ${(f)"$(_passthru_argument $verb $((arguments + 1)) <<<${(F)help})"}; do
			_passthru_kind $kind
		done
	else
		reply=()
		for word in $help; do
			[[ $word =~ '^  ([a-z][a-z-]*) +(.*)$' ]] && reply+=("$match[1]:${match[2]##*  }")
		done
		_describe -t verbs verb reply
	fi
}

_passthru "$@"
