package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Cells as a stranger would write them, for the contract of kernels over time: values of any width, sums
 * and extremes over units, weights that are read twice, outputs that are no state. Each has two tensors
 * of state, a and b, and whatever weights its kind wants.
 */
public record StrangeCell(
    Kind kind, Sizes sizes, Parameter wx, Parameter b, List<Parameter> weights)
    implements AffineCell<StrangeCell.Pair> {

  /** The state. */
  public record Pair(Tensor a, Tensor b) implements RecurrentState {}

  /** N rows, H units, and P, which are fewer. */
  public record Sizes(int n, int h, int p) {
    public static Sizes of(int n, int h) {
      return new Sizes(n, h, (h + 2) / 3);
    }
  }

  /** What a step does. */
  public enum Kind {
    /** Untouched pieces of the input as left operands of products. */
    RAW("h 2", "h h", "h", "h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        List<Tensor> g = z.chunk(2, -1);
        return new Pair(
            g.get(0).mul(w.get(0)).add(s.a().mul(w.get(1))).tanh(), g.get(1).add(s.b().mul(0.5)));
      }
    },
    /** Both a sum and its two parts, from columns of the input that are also read alone. */
    MIXED("h 3", "h h", "h hhh", "h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        List<Tensor> g = z.chunk(3, -1);
        List<Tensor> r = s.a().matmul(w.get(0)).chunk(3, -1);
        Tensor u = g.get(0).add(r.get(0)).sigmoid();
        Tensor c = g.get(1).mul(u).add(r.get(1)).tanh();
        return new Pair(c.mul(w.get(1)), r.get(2).mul(g.get(2)).mul(s.b()).tanh());
      }
    },
    /** The LSTM whose gates are normalised. */
    LAYER_NORM("h 4", "h h", "h hhhh", "hhhh", "hhhh", "h", "h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        Tensor sum = z.add(s.a().matmul(w.get(0)));
        List<Tensor> g = normed(sum).mul(w.get(1)).add(w.get(2)).chunk(4, -1);
        Tensor c = g.get(0).sigmoid().mul(s.b()).add(g.get(1).sigmoid().mul(g.get(2).tanh()));
        Tensor out = normed(c).mul(w.get(3)).add(w.get(4));
        return new Pair(g.get(3).sigmoid().mul(out.tanh()), c);
      }
    },
    /** The LSTM with a projection, which feeds fewer units back than it has. */
    PROJECTED("h 4", "p h", "p hhhh", "h p") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        List<Tensor> g = z.add(s.a().matmul(w.get(0))).chunk(4, -1);
        Tensor c = g.get(0).sigmoid().mul(s.b()).add(g.get(1).sigmoid().mul(g.get(2).tanh()));
        return new Pair(g.get(3).sigmoid().mul(c.tanh()).matmul(w.get(1)), c);
      }
    },
    /** Units that add up to 1. */
    SOFTMAX("h 1", "h p", "h h", "h p") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        Tensor a = z.add(s.a().matmul(w.get(0))).softmax(-1);
        return new Pair(a, s.b().sub(a.matmul(w.get(1))).sigmoid());
      }
    },
    /** One gate for all units, from a column of the input and one of a weight. */
    ONE_GATE("1 + h", "h 1", "h 1", "h h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        int h = s.a().dim(-1);
        Tensor gate = z.narrow(1, 0, 1).add(s.a().matmul(w.get(0))).sigmoid();
        Tensor next = z.narrow(1, 1, h).add(s.a().matmul(w.get(1))).tanh();
        Tensor kept = gate.mul(s.a()).add(gate.sub(1).neg().mul(next));
        return new Pair(kept, s.b().mul(gate).add(next.mean(-1, true)));
      }
    },
    /** The greatest and the smallest unit. */
    EXTREMES("h 1", "h h", "h h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        Tensor u = z.add(s.a().matmul(w.get(0)));
        Tensor spread = u.max(-1, true).sub(u.min(-1, true)).add(1);
        Tensor a = u.sub(u.min(-1, true)).div(spread);
        return new Pair(a, s.b().mul(0.3).sub(a.max(-1, true)).add(s.a()));
      }
    },
    /** Two tensors of other widths, each fed to the other. */
    TWO_WIDTHS("h 1 + p", "h p", "p h", "h h", "h p") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        int h = s.a().dim(-1);
        Tensor a = z.narrow(1, 0, h).add(s.b().matmul(w.get(0))).add(s.a().matmul(w.get(1)));
        Tensor b = z.narrow(1, h, s.b().dim(-1)).mul(s.a().matmul(w.get(2)));
        return new Pair(a.tanh(), b.add(s.b()).mul(0.5));
      }
    },
    /** An output of several parts that is no state: a sum, a gate and a sum over units. */
    PARTS("h 2", "h h", "h hh", "h p") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        List<Tensor> g = z.add(s.a().matmul(w.get(0))).chunk(2, -1);
        return new Pair(g.get(0).tanh(), g.get(1));
      }

      @Override
      Tensor output(Pair s, List<Tensor> w) {
        Tensor fed = s.a().matmul(w.get(1));
        return Tensor.concat(List.of(fed, s.b(), s.a().sum(-1, true), fed.sigmoid()), 1);
      }
    },
    /** One weight in several products, as a whole and in part. */
    TIED("h 1", "h p", "h h", "h h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        Tensor first = z.add(s.a().matmul(w.get(0))).tanh();
        Tensor second = first.matmul(w.get(0)).add(s.a().matmul(w.get(1))).add(first);
        Tensor third = s.b().mul(0.3).matmul(w.get(0).narrow(0, 0, s.b().dim(-1)));
        Tensor both = second.tanh().matmul(w.get(1)).add(first.matmul(w.get(1)));
        return new Pair(
            both.add(third).mul(0.4).tanh(), second.narrow(1, 0, s.b().dim(-1)).softplus());
      }
    },
    /** Rows of their own at every step, some of which nothing reads. */
    CONTEXT("h 1", "h p", "h h", "n hp", "n 1", "hp") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        int h = s.a().dim(-1);
        Tensor own = w.get(1).narrow(1, 0, h);
        Tensor a = z.mul(own).add(s.a().matmul(w.get(0))).mul(w.get(2)).tanh();
        return new Pair(a.add(w.get(3).narrow(0, 0, h)), s.b().add(w.get(2)).sigmoid());
      }
    },
    /** Columns of the input and of weights that no step reads, and a state that is only left. */
    UNUSED("h 4", "h h", "h hhh", "hh") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        List<Tensor> g = z.chunk(4, -1);
        List<Tensor> r = s.a().matmul(w.get(0)).chunk(3, -1);
        int h = s.a().dim(-1);
        return new Pair(g.get(2).add(r.get(1)).mul(w.get(1).narrow(0, 0, h)).tanh(), g.get(1));
      }
    },
    /** Units of length 1, and the logarithm of a sum. */
    UNIT_LENGTH("h 1", "h 1", "h h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        Tensor u = z.add(s.a().matmul(w.get(0)));
        Tensor a = u.div(u.norm(-1, true).add(0.1));
        return new Pair(a, s.b().mul(0.5).add(u.logSumExp(-1, true)).sub(s.a().sum(-1, true)));
      }
    },
    /** Products of and into a single column. */
    COLUMN("h 1", "h 1", "h 1", "1 h", "1 1") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        Tensor score = s.a().matmul(w.get(0));
        Tensor fed = score.tanh().matmul(w.get(1)).add(s.b().matmul(w.get(1)));
        Tensor b = s.b().matmul(w.get(2)).add(score).sigmoid();
        return new Pair(z.add(fed).tanh(), b);
      }
    },
    /** Attends to the rows of a weight. */
    ATTENTION("h 1", "h p", "h p", "p h", "h p") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        Tensor weights = s.a().matmul(w.get(0)).softmax(-1);
        Tensor read = weights.matmul(w.get(1));
        return new Pair(z.add(read).tanh(), weights.mul(s.b()).add(read.matmul(w.get(2))));
      }
    },
    /** A single column that much is computed of, before wider values read it. */
    NARROW("h 1", "h 1", "h 1", "h h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        Tensor t = s.b().tanh().sigmoid().log().tanh().exp().tanh().sigmoid().sqrt().tanh();
        Tensor u = t.mul(s.a().matmul(w.get(0)).tanh());
        Tensor a = z.add(s.a().matmul(w.get(1))).mul(t).add(u.mul(s.a())).tanh();
        return new Pair(a.add(s.b()), u.add(s.b().mul(0.3)).add(a.mean(-1, true)));
      }
    },
    /** The input, spread and rows of their own as left operands. */
    FACTORS("h 1 + 1", "h 1", "h p", "p h", "n h", "h1 h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        int h = s.a().dim(-1);
        int p = w.get(1).dim(0);
        Tensor fed = z.narrow(1, 0, h).add(s.b()).matmul(w.get(0));
        Tensor spread = s.b().expand(s.b().dim(0), p).matmul(w.get(1));
        Tensor joined = Tensor.concat(List.of(s.a(), z.narrow(1, h, 1)), 1).matmul(w.get(3));
        Tensor a = fed.matmul(w.get(1)).add(spread).add(joined).mul(w.get(2));
        return new Pair(a.tanh(), a.sum(-1, true).tanh());
      }
    },
    /** States that change places, and one that stays. */
    PASSING("h 1", "h h", "h h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        return new Pair(s.b(), s.a().add(z.mul(s.b())).mul(0.5));
      }

      @Override
      Tensor output(Pair s, List<Tensor> w) {
        return s.b();
      }
    },
    /** Nothing flows through some of it. */
    DETACHED("h 2", "h 1", "h h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        List<Tensor> g = z.chunk(2, -1);
        Tensor fed = s.a().detach().matmul(w.get(0)).add(g.get(0));
        Tensor scale = fed.max(-1, true).detach();
        return new Pair(fed.sub(scale).exp().mul(g.get(1).detach()), scale.mul(s.b()).tanh());
      }
    },
    /** More than one program holds, forward and back, and pieces of many widths. */
    LONG("h 2 + p", "h p", "h hhp", "p h") {
      @Override
      Pair step(Tensor z, Pair s, List<Tensor> w) {
        int h = s.a().dim(-1);
        Tensor sum = z.add(s.a().matmul(w.get(0)));
        Tensor u = sum.narrow(1, 0, h);
        Tensor v = sum.narrow(1, h, h);
        Tensor total = s.a();
        for (int i = 0; i < 7; i++) {
          u = u.tanh().mul(v.sigmoid()).add(s.a().mul(0.1 * i)).softplus();
          v = v.mul(0.5).sigmoid().add(u.exp().log().mul(0.2));
          total = total.add(u.mul(v));
        }
        Tensor b = sum.narrow(1, 2 * h, s.b().dim(-1)).add(s.b()).tanh();
        return new Pair(total.mul(0.1).add(b.matmul(w.get(1))).tanh(), b);
      }
    };

    private final String input;
    private final List<String> state;
    private final List<String> weights;

    /**
     * A kind.
     *
     * @param input columns of the projected input: {@code h 4} for 4 H
     * @param state columns of a and of b
     * @param weights the axes of each weight, as {@code h hhp} for {@code [H,2H+P]}
     */
    Kind(String input, String state, String... weights) {
      this.input = input;
      this.state = List.of(state.split(" "));
      this.weights = List.of(weights);
    }

    abstract Pair step(Tensor z, Pair s, List<Tensor> w);

    Tensor output(Pair s, List<Tensor> w) {
      return s.a();
    }

    private static Tensor normed(Tensor x) {
      Tensor centred = x.sub(x.mean(-1, true));
      return centred.mul(centred.square().mean(-1, true).add(1e-5).rsqrt());
    }
  }

  public static Stream<String> names() {
    return Stream.of(Kind.values())
        .map(kind -> "strange " + kind.name().toLowerCase(Locale.ROOT).replace('_', '-'));
  }

  public static StrangeCell of(String name, Sizes sizes, int inputs, Init init, Philox rng) {
    String kindName = name.substring("strange ".length()).toUpperCase(Locale.ROOT);
    var kind = Kind.valueOf(kindName.replace('-', '_'));
    int columns = 0;
    for (String term : kind.input.split(" \\+ ")) {
      String[] factors = term.split(" ");
      int times = factors.length == 1 ? 1 : Integer.parseInt(factors[1]);
      columns += axis(factors[0], sizes) * times;
    }
    List<Parameter> weights = new ArrayList<>();
    for (String weight : kind.weights) {
      int[] axes = Arrays.stream(weight.split(" ")).mapToInt(a -> axis(a, sizes)).toArray();
      weights.add(init.parameter(rng, axes));
    }
    return new StrangeCell(
        kind, sizes, init.parameter(rng, inputs, columns), init.parameter(rng, columns), weights);
  }

  private static int axis(String letters, Sizes sizes) {
    return letters
        .chars()
        .map(c ->
            switch (c) {
              case 'h' -> sizes.h();
              case 'p' -> sizes.p();
              case 'n' -> sizes.n();
              default -> 1;
            })
        .sum();
  }

  @Override
  public Parameters parameters() {
    List<Parameters.Named> all = new ArrayList<>();
    all.add(new Parameters.Named("wx", wx));
    all.add(new Parameters.Named("b", b));
    for (int i = 0; i < weights.size(); i++) {
      all.add(new Parameters.Named("w" + i, weights.get(i)));
    }
    return Parameters.of(all);
  }

  private List<Tensor> values() {
    return weights.stream().map(Parameter::value).toList();
  }

  @Override
  public int outputs() {
    Pair zero = zero(sizes.n());
    return kind.output(zero, values()).dim(-1);
  }

  @Override
  public Pair step(Tensor z, Pair state) {
    return kind.step(z, state, values());
  }

  @Override
  public Tensor output(Pair state) {
    return kind.output(state, values());
  }

  @Override
  public Pair zero(int batch) {
    return new Pair(
        wx.value().zerosLike(Shape.of(batch, axis(kind.state.get(0), sizes))),
        wx.value().zerosLike(Shape.of(batch, axis(kind.state.get(1), sizes))));
  }
}
