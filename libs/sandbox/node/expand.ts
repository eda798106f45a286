/**
 * Expands `$(NAME)` from `variables` as Kubernetes does in env, command and args: `$$` stands for one `$`, and a
 * reference to an unknown name stays as it is.
 */
export function expand(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([^()$\s]+)\)/g, (match, name: string | undefined) => {
    if (name === undefined) return '$';
    return Object.hasOwn(variables, name) ? (variables[name] ?? '') : match;
  });
}
