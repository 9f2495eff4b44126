/**
 * What each shell sources. The words typed so far go to the hidden command `complete` as they are, as arguments: nothing
 * of a half-typed line is ever evaluated. It answers `value<TAB>description` lines and, last, what the shell adds by
 * itself: `:nothing`, `:files`, `:folders`.
 */
export const SCRIPTS = {
  bash: `# Completion of comfyvn-sync for bash. Source it from ~/.bashrc:  source <(comfyvn-sync completion bash)
_comfyvn_sync() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :files) compopt -o default 2>/dev/null ;;
      :folders) compopt -o dirnames 2>/dev/null ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(comfyvn-sync complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _comfyvn_sync comfyvn-sync
`,
  zsh: `#compdef comfyvn-sync
# Completion of comfyvn-sync for zsh. Source it from ~/.zshrc after compinit:  source <(comfyvn-sync completion zsh)
_comfyvn_sync() {
  local line also=nothing
  local -a items
  for line in "\${(@f)$(comfyvn-sync complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case "$line" in
      :*) also="\${line#:}" ;;
      *) items+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( \${#items} )) && _describe 'comfyvn-sync' items
  case "$also" in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
if [[ "\${funcstack[1]}" == _comfyvn_sync ]]; then _comfyvn_sync "$@"; else compdef _comfyvn_sync comfyvn-sync; fi
`,
  fish: `# Completion of comfyvn-sync for fish. Keep it:  comfyvn-sync completion fish > ~/.config/fish/completions/comfyvn-sync.fish
function __comfyvn_sync
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    for line in (comfyvn-sync complete -- $words[2..-1] "$last" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$last"
            case ':folders'
                __fish_complete_directories "$last"
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c comfyvn-sync -f -a '(__comfyvn_sync)'
`,
} as const;

export type Shell = keyof typeof SCRIPTS;
