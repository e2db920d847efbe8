package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link Tensor#einsum} against what it means: loops over all labels. */
class EinsumTest {
  private final SplittableRandom random = new SplittableRandom(3);
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static int size(Map<Character, Integer> sizes, int label) {
    return Objects.requireNonNull(sizes.get((char) label));
  }

  /** A number at an index. */
  private static double at(Tensor x, double[] values, int[] index) {
    long place = 0;
    for (int k = 0; k < index.length; k++) {
      place = place * x.dim(k) + Math.min(index[k], x.dim(k) - 1);
    }
    return values[(int) place];
  }

  /** The sum over all indices, of terms whose dots are spelled as letters. */
  private static double[] byLoops(String subscripts, Map<Character, Integer> sizes, Tensor... in) {
    String[] sides = subscripts.split("->", -1);
    String[] terms = sides[0].split(",", -1);
    String output = sides[1];
    List<Character> labels = new ArrayList<>(sizes.keySet());
    int count = output.chars().map(c -> size(sizes, c)).reduce(1, (a, b) -> a * b);
    double[] sums = new double[count];
    double[][] values = Arrays.stream(in).map(Tensor::toDoubleArray).toArray(double[][]::new);
    long all = labels.stream().mapToLong(label -> size(sizes, label)).reduce(1, (a, b) -> a * b);
    for (long i = 0; i < all; i++) {
      Map<Character, Integer> index = new LinkedHashMap<>();
      long rest = i;
      for (char label : labels) {
        index.put(label, (int) (rest % size(sizes, label)));
        rest /= size(sizes, label);
      }
      double product = 1;
      for (int t = 0; t < terms.length; t++) {
        product *= at(in[t], values[t], terms[t].chars().map(c -> size(index, c)).toArray());
      }
      int place = 0;
      for (int k = 0; k < output.length(); k++) {
        char label = output.charAt(k);
        place = place * size(sizes, label) + size(index, label);
      }
      sums[place] += product;
    }
    return sums;
  }

  private Tensor random(int... dims) {
    double[] values = new double[(int) Shape.of(dims).size()];
    Arrays.setAll(values, i -> random.nextInt(-4, 5));
    return Tensor.of(Shape.of(dims), values);
  }

  /** Whole numbers: every order of sums and products gives the same. */
  private void check(String written, String spelled, Map<Character, Integer> sizes, Tensor... in) {
    Tensor y = Tensor.einsum(written, in);
    int[] dims = spelled.split("->", -1)[1].chars().map(c -> size(sizes, c)).toArray();
    assertThat(y.shape()).as(written).isEqualTo(Shape.of(dims));
    // A product is −0 where a sum is 0.
    double[] values = y.add(0).toDoubleArray();
    assertThat(values).as(written).isEqualTo(byLoops(spelled, sizes, in));
    Tensor[] whole = Arrays.stream(in).map(x -> x.cast(DType.I32)).toArray(Tensor[]::new);
    Tensor sums = Tensor.einsum(written, whole);
    assertThat(sums.toDoubleArray()).as("%s of I32", written).isEqualTo(values);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ij,jk->ik",
        "bij,bjk->bik",
        "i,i->",
        "i,j->ij",
        "ij->ji",
        "ij->",
        "ij->j",
        "ii->i",
        "ii->",
        "bhqd,bhkd->bhqk",
        "bqk,bkhd->bqhd",
        "ij,kj->ik",
        "ij,jk,kl->il",
        "ij,kl->ijkl",
        "b,bi,bij->ij",
        "i,ij,j->",
        "abc,bd,ce,f->adef",
        "ijk,jil->kl",
        "iij,ijj->ij",
        "bi,bj,bk->bijk",
        "a,a,a,a->a",
        "ab,bc,cd,de,ef->af",
        "->",
        ",a->a",
        "nik,ni->nk",
        "bi,oi->bo"
      })
  void isTheSumOverAllLabels(String subscripts) {
    Map<Character, Integer> sizes = new LinkedHashMap<>();
    for (int k = 0; k < subscripts.length(); k++) {
      char c = subscripts.charAt(k);
      if (Character.isLetter(c)) {
        sizes.putIfAbsent(c, 2 + sizes.size() % 3);
      }
    }
    Tensor[] in =
        Arrays.stream(subscripts.split("->", -1)[0].split(",", -1))
            .map(term -> random(term.chars().map(c -> size(sizes, c)).toArray()))
            .toArray(Tensor[]::new);
    check(subscripts, subscripts, sizes, in);
  }

  /** Random terms, sizes of 0 and 1 and broadcast axes among them; results with labels in any order. */
  @Test
  void isTheSumOverAllLabelsOfRandomTerms() {
    for (int trial = 0; trial < 400; trial++) {
      int labels = random.nextInt(1, 6);
      Map<Character, Integer> sizes = new LinkedHashMap<>();
      for (int k = 0; k < labels; k++) {
        sizes.put(
            (char) ((k % 2 == 0 ? 'a' : 'A') + k),
            random.nextInt(20) == 0 ? 0 : random.nextInt(1, 4));
      }
      List<Character> all = new ArrayList<>(sizes.keySet());
      int count = random.nextInt(1, 5);
      List<String> terms = new ArrayList<>();
      List<Tensor> in = new ArrayList<>();
      Map<Character, Integer> seen = new LinkedHashMap<>();
      for (int t = 0; t < count; t++) {
        var term = new StringBuilder();
        for (int k = random.nextInt(4); k > 0; k--) {
          term.append(all.get(random.nextInt(labels)));
        }
        terms.add(term.toString());
        term.chars().forEach(c -> seen.put((char) c, size(sizes, c)));
      }
      var output = new StringBuilder();
      for (char c : seen.keySet()) {
        if (random.nextBoolean()) {
          output.insert(random.nextInt(output.length() + 1), c);
        }
      }
      for (String term : terms) {
        // An axis may be 1 where others are longer, if the label stands once in its term.
        in.add(
            random(
                term.chars()
                    .map(c -> {
                      boolean once = term.indexOf(c) == term.lastIndexOf(c);
                      return once && random.nextInt(5) == 0 && size(sizes, c) > 0
                          ? 1
                          : size(sizes, c);
                    })
                    .toArray()));
      }
      // Where all have size 1 the label has it.
      seen.replaceAll((c, longest) -> {
        int size = 1;
        for (int t = 0; t < count; t++) {
          int k = terms.get(t).indexOf(c);
          size = k >= 0 && in.get(t).dim(k) != 1 ? in.get(t).dim(k) : size;
        }
        return size;
      });
      String subscripts = String.join(",", terms) + "->" + output;
      check(subscripts, subscripts, seen, in.toArray(new Tensor[0]));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ij,jk | ij,jk->ik",
        "b i, b j -> i j | bi,bj->ij",
        "ba | ba->ab",
        "aB,Bc,cD | aB,Bc,cD->Da",
        "ii | ii->",
        "i,i | i,i->"
      })
  void withoutAnArrowTakesWhatStandsOnce(String written, String spelled) {
    Map<Character, Integer> sizes =
        Map.of('i', 2, 'j', 3, 'k', 4, 'b', 2, 'a', 3, 'B', 4, 'c', 2, 'D', 3);
    Map<Character, Integer> used = new LinkedHashMap<>();
    spelled.chars().filter(Character::isLetter).forEach(c -> used.put((char) c, size(sizes, c)));
    Tensor[] in =
        Arrays.stream(spelled.split("->", -1)[0].split(","))
            .map(term -> random(term.chars().map(c -> size(sizes, c)).toArray()))
            .toArray(Tensor[]::new);
    check(written, spelled, used, in);
  }

  @Test
  void dotsAlignAtTheLastOfTheirAxesAndBroadcast() {
    Map<Character, Integer> sizes = Map.of('x', 2, 'y', 3, 'i', 2, 'j', 4, 'k', 3);
    Map<Character, Integer> of = new LinkedHashMap<>(sizes);
    check("...ij,...jk->...ik", "xyij,yjk->xyik", of, random(2, 3, 2, 4), random(3, 4, 3));
    check("...ij,jk", "xyij,jk->xyik", of, random(2, 3, 2, 4), random(4, 3));
    check("i...,i...->...", "ixy,iy->xy", without(of, "jk"), random(2, 2, 3), random(2, 3));
    check("i...->i", "ixy->i", without(of, "jk"), random(2, 2, 3));
    check("i...j->j...i", "ij->ji", without(of, "xyk"), random(2, 4));
  }

  private static Map<Character, Integer> without(Map<Character, Integer> sizes, String labels) {
    Map<Character, Integer> rest = new LinkedHashMap<>(sizes);
    labels.chars().forEach(c -> rest.remove((char) c));
    return rest;
  }

  /** More operands than all orders are tried of. */
  @Test
  void joinsManyOperands() {
    Tensor[] chain = new Tensor[12];
    var terms = new StringBuilder();
    double expected = 1;
    for (int i = 0; i < chain.length; i++) {
      double value = 1 + 0.25 * i;
      chain[i] = Tensor.full(DType.F64, value, 2, 2);
      terms.append(i == 0 ? "" : ",").append((char) ('a' + i)).append((char) ('a' + i + 1));
      expected *= value * (i == 0 ? 1 : 2);
    }
    assertThat(Tensor.einsum(terms + "->am", chain).get(1, 0)).isCloseTo(expected, within(1e-6));
  }

  /** A product of three that, from the left, would make 10⁹ numbers. */
  @Test
  void takesTheCheapOrder() {
    int n = 1000;
    Tensor a = Tensor.ones(DType.F64, n);
    Tensor b = Tensor.ones(DType.F64, n);
    Tensor c = Tensor.ones(DType.F64, n, 2);
    assertThat(Tensor.einsum("i,j,jk->ik", a, b, c).get(3, 1)).isEqualTo(n);
    assertThat(Tensor.einsum("i,j,k,i,j,k->", a, b, a, b, a, b).item()).isEqualTo(1e9);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "ij,jk->ik | sizes of j differ: 3 and 4",
        "ij->ik | 1 subscripts for 2 operands",
        "ijk,jk->ik | \"ijk\" names 3 axes, [2,3] has 2",
        "i,jk->ik | \"i\" names 1 axes, [2,3] has 2",
        "ij,kl->im | m of the result is in no operand",
        "ij,kl->iji | i stands twice in the result",
        "i1,jk->ik | '1' is no label",
        "ii,jk->i | i has sizes 2 and 3 in [2,3]",
        "i..j,jk->ik | names"
      })
  void saysWhatDoesNotFit(String subscripts, String message) {
    Tensor x = random(2, 3);
    Tensor y = random(4, 5);
    assertThatThrownBy(() -> Tensor.einsum(subscripts, x, y))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("einsum: \"" + subscripts + "\" of [2,3] and [4,5]: ")
        .hasMessageContaining(message);
  }

  @Test
  void saysWhichTypesDoNotFit() {
    Tensor x = random(2);
    assertThatThrownBy(() -> Tensor.einsum("i,i", x, x.cast(DType.F32)))
        .hasMessageContaining("element types differ: F64 and F32");
    assertThatThrownBy(() -> Tensor.einsum("i->", x.gt(0))).hasMessageContaining("got BOOL [2]");
    assertThatThrownBy(() -> Tensor.einsum("i")).hasMessageContaining("for 0 operands");
  }
}
