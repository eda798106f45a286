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

/** The label of every namespace that a test makes. */
export const testNamespaceLabel = 'quorate.io/e2e';

export function readBench(environment: Record<string, string | undefined> = process.env): Bench {
  const kubeconfig = environment['KUBECONFIG'];
  const namespace = environment[operatorNamespaceVariable];
  if (!kubeconfig) return { kubernetes: { kind: 'sandbox' }, operator: { runs: 'machine' } };
  return {
    kubernetes: { kind: 'real', kubeconfig },
    operator: namespace ? { runs: 'cluster', namespace } : { runs: 'machine' },
  };
}
