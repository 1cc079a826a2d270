// What `reprise completion SHELL` prints. The scripts ask `reprise complete` for candidates: one a line, the value, a blank,
// its meaning; `:files` asks for the shell's own completion of files.

const BASH = `# reprise: completion for bash. Load it with: source <(reprise completion bash)
_reprise() {
  local line=\${COMP_LINE:0:COMP_POINT} current answer broken
  local -a typed
  current=\${line##*[[:space:]]}
  read -ra typed <<< "$line"
  [[ $line == *[[:space:]] ]] && typed+=("")
  COMPREPLY=()
  while IFS= read -r answer; do
    if [[ $answer == ":files" ]]; then
      compopt -o filenames 2> /dev/null
      while IFS= read -r answer; do COMPREPLY+=("$answer"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("\${answer%% *}")
      [[ \${answer%% *} == */ ]] && compopt -o nospace 2> /dev/null
    fi
  done < <(command reprise complete -- "\${typed[@]:1}" 2> /dev/null < /dev/null)
  # bash takes : = and @ for ends of words and replaces only what follows the last of them
  if [[ $current == *[:=@]* ]]; then
    broken=\${current%"\${current##*[:=@]}"}
    COMPREPLY=("\${COMPREPLY[@]#"$broken"}")
  fi
}
complete -F _reprise reprise
`;

const ZSH = `#compdef reprise
# reprise: completion for zsh. Save it as _reprise in a folder of your fpath, or: source <(reprise completion zsh)
_reprise() {
  local answer files=0
  local -a values shown folders
  for answer in "\${(@f)$(command reprise complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null < /dev/null)}"; do
    if [[ -z $answer ]]; then continue; fi
    if [[ $answer == ":files" ]]; then files=1; continue; fi
    if [[ $answer == */ ]]; then folders+=("$answer"); continue; fi
    values+=("\${answer%% *}")
    shown+=("$answer")
  done
  (( \${#values} )) && compadd -l -d shown -a values
  (( \${#folders} )) && compadd -S "" -a folders
  (( files )) && _files
}
compdef _reprise reprise
`;

const FISH = `# reprise: completion for fish. Save it as ~/.config/fish/completions/reprise.fish
function __reprise_complete
    set -l typed (commandline -opc) (commandline -ct)
    for answer in (command reprise complete -- $typed[2..-1] 2> /dev/null < /dev/null)
        if test "$answer" = ":files"
            __fish_complete_path (commandline -ct)
        else
            string replace " " \\t -- $answer
        end
    end
end
complete -c reprise -f -a "(__reprise_complete)"
`;

export const COMPLETION_SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
export type Shell = keyof typeof COMPLETION_SCRIPTS;

export function isShell(text: string): text is Shell {
  return Object.hasOwn(COMPLETION_SCRIPTS, text);
}
