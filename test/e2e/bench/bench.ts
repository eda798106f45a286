/** What the tests run on: the sandbox or the Kubernetes that KUBECONFIG names, and where Quorate itself runs. */
export interface Bench {
  kubernetes: { kind: 'sandbox' } | { kind: 'real'; kubeconfig: string };
  /** `cluster`: installed once for all test files, in that namespace. */
  operator: { runs: 'machine' } | { runs: 'cluster'; namespace: string };
}

/** Set by `npm run e2e` for the test files: the namespace into which it has installed Quorate. */
export const operatorNamespaceVariable = 'QUORATE_E2E_OPERATOR_NAMESPACE';

/** Set as well: another version's image of Quorate, to upgrade to. */
export const nextImageVariable = 'QUORATE_E2E_NEXT_IMAGE';

/** Set as well: names one run of all test files, so that it takes away what it made and nothing else. */
export const runVariable = 'QUORATE_E2E_RUN';

/** The labels of every namespace that tests make. */
export const testNamespaceLabels = (environment: Record<string, string | undefined> = process.env) => ({
  'quorate.io/e2e': environment[runVariable] ?? 'one-file',
});

export function readBench(environment: Record<string, string | undefined> = process.env): Bench {
  const kubeconfig = environment['KUBECONFIG'];
  const namespace = environment[operatorNamespaceVariable];
  if (!kubeconfig) return { kubernetes: { kind: 'sandbox' }, operator: { runs: 'machine' } };
  return {
    kubernetes: { kind: 'real', kubeconfig },
    operator: namespace ? { runs: 'cluster', namespace } : { runs: 'machine' },
  };
}
