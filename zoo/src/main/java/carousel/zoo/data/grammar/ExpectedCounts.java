package carousel.zoo.data.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How often each nonterminal is used in a sentence on average, and what follows from it.
 *
 * <p>With {@code M[A,B] = Σ_{A → r} p(r) · #B in r}, the counts solve {@code e = e_start + Mᵀ e}. A
 * derivation of an unambiguous grammar is a sentence, and its choices are independent given the
 * nonterminals, so the entropy of a sentence is {@code H = Σ_A e_A · H(p(· | A))} nats, exactly;
 * its length is {@code L = Σ_A e_A · Σ_{A → r} p(r) · #words in r}.
 *
 * <p>Source: U. Grenander, Syntax-controlled probabilities (1967); entropy of probabilistic
 * grammars also in S. Soule, Information and Control 25 (1974).
 */
final class ExpectedCounts {
  private final double entropy;
  private final double length;

  /**
   * Solves for the counts.
   *
   * @throws GrammarException if they are not finite: the recursion does not end on average
   */
  ExpectedCounts(Map<String, List<Rule>> rules, String start) {
    var names = new ArrayList<>(rules.keySet());
    int n = names.size();
    var system = new double[n][n + 1]; // [I − Mᵀ | e_start]
    for (int i = 0; i < n; i++) {
      system[i][i] = 1;
    }
    system[names.indexOf(start)][n] = 1;
    for (var alternatives : rules.values()) {
      for (var rule : alternatives) {
        int from = names.indexOf(rule.left());
        for (var symbol : rule.right()) {
          if (!symbol.isWord()) {
            system[names.indexOf(symbol.name())][from] -= rule.probability();
          }
        }
      }
    }
    var counts = solve(system);
    double nats = 0.0;
    double words = 0.0;
    for (int i = 0; i < n; i++) {
      // A series that diverges shows as a solution that no sum of non-negative terms can have.
      if (!(counts[i] >= 0 && counts[i] < 1e9)) {
        throw new GrammarException(
            names.get(i) + ": the recursion does not end on average; lower the weight of it");
      }
      for (var rule : rules.getOrDefault(names.get(i), List.of())) {
        double p = rule.probability();
        nats -= counts[i] * p * Math.log(p);
        for (var symbol : rule.right()) {
          if (symbol.isWord()) {
            words += counts[i] * p;
          }
        }
      }
    }
    entropy = nats;
    length = words;
  }

  /** H, in nats per sentence. */
  double entropy() {
    return entropy;
  }

  /** L, in words per sentence, the end mark not counted. */
  double length() {
    return length;
  }

  /** Gauss-Jordan elimination with partial pivoting; entries that are not finite if singular. */
  private static double[] solve(double[][] a) {
    int n = a.length;
    for (int column = 0; column < n; column++) {
      int pivot = column;
      for (int i = column; i < n; i++) {
        if (Math.abs(a[i][column]) > Math.abs(a[pivot][column])) {
          pivot = i;
        }
      }
      var row = a[pivot];
      a[pivot] = a[column];
      a[column] = row;
      for (int i = 0; i < n; i++) {
        double factor = i == column ? 0 : a[i][column] / row[column];
        for (int j = column; factor != 0 && j <= n; j++) {
          a[i][j] -= factor * row[j];
        }
      }
    }
    var x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = a[i][n] / a[i][i];
    }
    return x;
  }
}
