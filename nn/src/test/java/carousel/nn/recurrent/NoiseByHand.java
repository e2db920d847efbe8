package carousel.nn.recurrent;

import static carousel.tensor.DType.F64;

import carousel.nn.recurrent.Sequence.Run;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A run with noise and marks by sums and products of numbers, {@code m ⊙ a + (1 − m) ⊙ b}: one step after
 * the other, masks of 0 and 1 drawn from the generator in the order that {@link Noise} states.
 */
final class NoiseByHand {
  private NoiseByHand() {}

  /** A run in training; marks hold all three. */
  static <S extends RecurrentState> Run run(
      Recurrent<S> layer, Philox rng, Tensor x, Marks marks, List<RecurrentState> initial) {
    Noise noise = layer.noise();
    Cell<S> cell = layer.cell();
    int steps = x.dim(0);
    int rows = x.dim(1);
    S own = own(layer, rows);
    S s = initial.isEmpty() ? own : RecurrentState.with(own, initial.getFirst().tensors());
    int parts = s.tensors().size();
    Tensor in = x.mul(dropped(rng, noise.inputs(), rows, x.dim(2)));
    List<Tensor> read = new ArrayList<>();
    for (int k = 0; k < parts; k++) {
      read.add(dropped(rng, rate(noise.states(), k), s.tensors().get(k).shape().toArray()));
    }
    Tensor out = dropped(rng, noise.outputs(), rows, cell.outputs());
    List<Tensor> keep = new ArrayList<>();
    for (int k = 0; k < parts; k++) {
      double z = rate(noise.zoneout(), k);
      int[] dims = s.tensors().get(k).shape().insert(0, steps).toArray();
      keep.add(z == 0 ? Tensor.zeros(F64, dims) : rng.bernoulli(z, dims).cast(F64));
    }
    boolean perStep = noise.per() == Noise.Per.STEP;
    Tensor adding =
        noise.candidate() == 0
            ? Tensor.ones(F64, steps, rows, 1)
            : perStep
                ? dropped(rng, noise.candidate(), steps, rows, cell.outputs())
                : dropped(rng, noise.candidate(), rows, cell.outputs());
    boolean reverse = layer.direction() == Recurrent.Direction.REVERSE;
    double[] lengths = numbers(marks.lengths());
    double[] resets = numbers(marks.resets());
    double[] taken = numbers(marks.taken());
    Tensor z = cell.project(in);
    Tensor[] y = new Tensor[steps];
    for (int i = 0; i < steps; i++) {
      int t = reverse ? steps - 1 - i : i;
      double[] valid = new double[rows];
      double[] anew = new double[rows];
      for (int n = 0; n < rows; n++) {
        valid[n] = t < lengths[n] ? 1 : 0;
        int flagged = reverse ? t + 1 : t;
        anew[n] = flagged < lengths[n] ? resets[flagged * rows + n] : 0;
      }
      double[] does = Arrays.copyOfRange(taken, t * rows, (t + 1) * rows);
      S before = mixed(anew, own, s);
      S reads = RecurrentState.with(s, products(before.tensors(), read));
      Tensor mask = perStep || noise.candidate() == 0 ? adding.select(0, t) : adding;
      S next =
          cell instanceof CandidateCell<S> gated && noise.candidate() > 0
              ? gated.step(z.select(0, t), reads, before, g -> g.mul(mask))
              : cell.step(z.select(0, t), reads, before);
      List<Tensor> zoned = new ArrayList<>();
      for (int k = 0; k < parts; k++) {
        Tensor m = keep.get(k).select(0, t);
        zoned.add(m.mul(before.tensors().get(k)).add(m.neg().add(1).mul(next.tensors().get(k))));
      }
      S after = RecurrentState.with(s, zoned);
      Tensor given = cell.output(after).mul(out);
      y[t] = given.mul(column(valid, given)).mul(column(does, given));
      s = mixed(valid, mixed(does, after, before), s);
    }
    Tensor all = Tensor.stack(List.of(y), 0);
    return new Run(all, cell.output(s).mul(out), List.of(s));
  }

  private static <S extends RecurrentState> S own(Recurrent<S> layer, int rows) {
    S zero = layer.cell().zero(rows);
    List<Tensor> starts = new ArrayList<>();
    for (int k = 0; k < layer.start().size(); k++) {
      starts.add(zero.tensors().get(k).add(layer.start().get(k).value()));
    }
    return starts.isEmpty() ? zero : RecurrentState.with(zero, starts);
  }

  private static double[] numbers(@Nullable Tensor mark) {
    return Objects.requireNonNull(mark).cast(F64).toDoubleArray();
  }

  private static double rate(List<Double> rates, int k) {
    return rates.isEmpty() ? 0 : rates.size() == 1 ? rates.getFirst() : rates.get(k);
  }

  /** {@code m / (1 − p)}; ones, and nothing drawn, for p = 0. */
  private static Tensor dropped(Philox rng, double p, int... dims) {
    return p == 0 ? Tensor.ones(F64, dims) : rng.bernoulli(1 - p, dims).cast(F64).div(1 - p);
  }

  private static List<Tensor> products(List<Tensor> a, List<Tensor> b) {
    List<Tensor> all = new ArrayList<>();
    for (int k = 0; k < a.size(); k++) {
      all.add(a.get(k).mul(b.get(k)));
    }
    return all;
  }

  private static <S extends RecurrentState> S mixed(double[] rows, S a, S b) {
    return RecurrentState.zip(
        a, b, (u, v) -> column(rows, v).mul(u).add(column(rows, v).neg().add(1).mul(v)));
  }

  /** {@code [N,1, ..]} beside a tensor {@code [N, ..]}. */
  private static Tensor column(double[] rows, Tensor like) {
    int[] dims = new int[like.rank()];
    Arrays.fill(dims, 1);
    dims[0] = rows.length;
    return Tensor.of(Shape.of(dims), rows);
  }
}
