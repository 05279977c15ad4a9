# The archive of the distribution, as the machine's own apt sources name it: what go-toolchain,
# static-program and upx have in common.  To be read in by the . of a shell.
#
# Packages are fetched with a configuration and a state of apt of their own, so that nothing of the machine's
# changes; the archive and its signing key are those of the machine.

# machine_sources: the machine's apt sources, one "SUITE URI COMPONENTS SIGNED-BY" a line with tabs
# between, whichever of the two formats they are written in.  A key that is written out in the
# source itself keeps its lines, joined by \001.
machine_sources() {
	{
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
	} | awk '
		$1 == "deb" {
			signed_by = ""
			i = 2
			if ($2 ~ /^\[/)
				for (;; i++) {
					option = $i
					gsub(/[][]/, "", option)
					if (option ~ /^[Ss]igned-[Bb]y=/)
						signed_by = substr(option, 11)
					if ($i ~ /\]$/ || i > NF) {
						i++
						break
					}
				}
			components = ""
			for (j = i + 2; j <= NF && $j !~ /^#/; j++)
				components = components " " $j
			print $(i + 1) "\t" $i "\t" components "\t" signed_by
		}'
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -r "$file" ] || continue
		awk '
			function flush(    i, j, n, m, uris, suites) {
				if (f["types"] ~ /(^| )deb( |$)/ && tolower(f["enabled"]) !~ /^ *(no|false|0)/) {
					n = split(f["uris"], uris, " ")
					m = split(f["suites"], suites, " ")
					for (i = 1; i <= n; i++)
						for (j = 1; j <= m; j++)
							print suites[j] "\t" uris[i] "\t" f["components"] "\t" f["signed-by"]
				}
				split("", f)
				key = ""
			}
			/^#/ { next }
			/^[ \t]*$/ { flush(); next }
			/^[ \t]/ {
				f[key] = f[key] (key == "signed-by" ? "\001" $0 : " " $0)
				next
			}
			{
				key = tolower(substr($0, 1, index($0, ":") - 1))
				value = substr($0, index($0, ":") + 1)
				sub(/^[ \t]*/, "", value)
				f[key] = value
			}
			END { flush() }' "$file"
	done
}

# os NAME: a value of os-release, such as VERSION_CODENAME.
os() {
	sed -n "s/^$1=//p" /etc/os-release | tr -d \"
}

# archive: the first of the machine's sources that holds the distribution itself; nothing where there is none.
archive() {
	codename=$(os VERSION_CODENAME)
	sources=$(machine_sources | awk -F '\t' '$2 !~ /^cdrom:/')
	for suite in "$codename" stable oldstable testing sid unstable; do
		line=$(printf '%s\n' "$sources" |
			awk -F '\t' -v suite="$suite" 'suite != "" && $1 == suite { print; exit }')
		[ -z "$line" ] || break
	done
	[ -z "$line" ] || printf '%s\n' "$line"
}

# updates: of the machine's sources, those with later versions for the suite of the archive.
updates() {
	suite=$(archive | cut -f 1)
	machine_sources | awk -F '\t' -v suite="$suite" \
		'$1 == suite "-updates" || $1 == suite "-security" || $1 == suite "/updates"'
}

# suites: where to look, in this order.  The backports come first: they are new, and their lists small.
suites() {
	own=$(os VERSION_CODENAME)
	if [ "$(os ID)" != debian ]; then
		echo "$own-backports $own-updates $own"
		return
	fi
	releases=$own
	for next in bookworm:trixie trixie:forky forky:duke; do
		[ "${next%:*}" != "${releases##* }" ] || releases="$releases ${next#*:}"
	done
	for release in $releases; do
		echo "$release-backports"
	done
	for release in $releases sid; do
		echo "$release"
	done
}

# source_stanza TYPE [SUITE]: reads a source as machine_sources prints it, and writes it down for apt; TYPE is
# deb or deb-src.
source_stanza() {
	awk -F '\t' -v type="$1" -v suite="${2:-}" '{
		n = split($3, words, " ")
		components = ""
		for (i = 1; i <= n; i++)
			if (words[i] !~ /^(contrib|non-free|non-free-firmware|restricted|multiverse)$/)
				components = components " " words[i]
		gsub(/\001/, "\n", $4)
		print "Types: " type "\nURIs: " $2 "\nSuites: " (suite == "" ? $1 : suite) "\nComponents:" components
		if ($4 != "")
			print "Signed-By: " $4
		print ""
	}'
}

# private_apt DIRECTORY [ARCHITECTURE]: writes an apt configuration that is the machine's (its proxy, above all) but
# for the directories, the hooks, the sources, which are those of DIRECTORY/archive.sources, and the architecture;
# prints its name.
private_apt() {
	architecture=${2:-$(dpkg --print-architecture)}
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	: >"$1/status"
	{
		apt-config dump | grep -v -i -E -e '(pre|post)-(invoke|install)' -e '^dir'
		cat <<-END
			Dir::Etc "/etc/apt";
			Dir::Etc::main "/dev/null";
			Dir::Etc::parts "/dev/null";
			Dir::Etc::sourcelist "$1/archive.sources";
			Dir::Etc::sourceparts "/dev/null";
			Dir::Etc::preferences "/dev/null";
			Dir::Etc::preferencesparts "/dev/null";
			Dir::State "$1";
			Dir::State::status "$1/status";
			Dir::Cache "$1/cache";
			Dir::Cache::pkgcache "";
			Dir::Cache::srcpkgcache "";
			APT::Architecture "$architecture";
			#clear APT::Architectures;
			APT::Architectures { "$architecture"; };
			APT::Default-Release "";
			APT::Update::Error-Mode "any";
			APT::Sandbox::User "root";
			APT::Get::AllowUnauthenticated "false";
			Acquire::AllowInsecureRepositories "false";
			Acquire::Languages "none";
			Acquire::GzipIndexes "true";
			Acquire::PDiffs "false";
		END
	} >"$1/apt.conf"
	echo "$1/apt.conf"
}
