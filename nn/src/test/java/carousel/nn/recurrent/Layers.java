package carousel.nn.recurrent;

import static carousel.tensor.DType.F64;

import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The cells under contract, and layers over them: small, in F64, with nothing left at zero. */
final class Layers {
  static final int D = 3;
  static final int H = 2;

  /** A cell that is not of this library: whoever writes one may hold it against the contract. */
  static final String USERS = "a user's minimal gated unit";

  private static final Init INIT = Init.normal(0.6).as(F64);

  private Layers() {}

  static Stream<String> cells() {
    return Stream.concat(Cells.names().stream(), Stream.of(USERS));
  }

  static Cell<?> cell(String name) {
    return cell(name, D, 1);
  }

  static Cell<?> cell(String name, int inputs, long seed) {
    var rng = Philox.of(seed);
    Cell<?> cell =
        name.equals(USERS)
            ? new MinimalGatedUnit(
                INIT.parameter(rng, inputs, 2 * H),
                INIT.parameter(rng, H, H),
                INIT.parameter(rng, H, H),
                INIT.parameter(rng, 2 * H))
            : Cells.of(name, inputs, H, INIT, rng);
    fillZeros(cell, rng);
    return cell;
  }

  /** Makes what starts at zero, the biases and learned states, random: at zero they hide errors. */
  static <L extends Layer> L fillZeros(L layer, Philox rng) {
    for (var named : layer.parameters()) {
      if (named.value().abs().max().item() == 0) {
        named.parameter().assign(rng.normal(F64, 0, 0.6, named.value().shape().toArray()));
      }
    }
    return layer;
  }

  static Tensor random(long seed, int... dims) {
    return Philox.of(seed).normal(F64, 0, 1, dims);
  }

  /** Multiplies the rows of weights that multiply states, of all cells that come along, by numbers. */
  static void scaleRows(Recurrent<?> layer, List<Tensor> factors) {
    for (var weight : layer.parameters()) {
      Tensor w = weight.value();
      switch (weight.name().substring(weight.name().lastIndexOf('.') + 1)) {
        case "wh", "wn", "wy" -> w.assign(w.mul(factors.get(0).unsqueeze(1)));
        case "wci", "wcf" -> w.assign(w.mul(factors.get(1).unsqueeze(1)));
        case "pi", "pf" -> w.assign(w.mul(factors.get(1)));
        default -> {} // of inputs, of the new memory, biases
      }
    }
  }

  static <S extends RecurrentState> S state(Cell<S> cell, int rows, long seed) {
    var rng = Philox.of(seed);
    return RecurrentState.map(
        cell.zero(rows), zero -> rng.normal(F64, 0, 1, zero.shape().toArray()));
  }

  /** One random state per cell of a layer. */
  static List<RecurrentState> states(Sequence layer, int rows, long seed) {
    return switch (layer) {
      case Recurrent<?> one -> List.of(state(one.cell(), rows, seed));
      case Bidirectional pair ->
          concat(states(pair.forward(), rows, seed), states(pair.backward(), rows, seed + 1));
      case Stacked stack -> {
        List<RecurrentState> all = List.of();
        for (Sequence inner : stack.layers()) {
          all = concat(all, states(inner, rows, seed + 10 + all.size()));
        }
        yield all;
      }
      default -> throw new IllegalArgumentException(layer.toString());
    };
  }

  private static List<RecurrentState> concat(List<RecurrentState> a, List<RecurrentState> b) {
    return Stream.concat(a.stream(), b.stream()).toList();
  }

  static List<Tensor> tensors(List<? extends RecurrentState> states) {
    return states.stream().flatMap(state -> state.tensors().stream()).toList();
  }

  /** All that a layer is differentiated by: its parameters, x and the states given. */
  static Tensor[] inputs(Layer layer, Tensor x, List<? extends RecurrentState> initial) {
    List<Tensor> all = new ArrayList<>(List.of(x));
    all.addAll(tensors(initial));
    layer.parameters().forEach(named -> all.add(named.value()));
    return all.toArray(Tensor[]::new);
  }

  /** All that a run gives, in one row. */
  static Tensor flat(Sequence.Run run) {
    List<Tensor> parts = new ArrayList<>(List.of(run.y().flatten(), run.last().flatten()));
    tensors(run.states()).forEach(tensor -> parts.add(tensor.flatten()));
    return Tensor.concat(parts, 0);
  }

  /** {@code Σ w ⊙ v} for fixed random w. */
  static Tensor weighted(Tensor v, long seed) {
    return v.mul(random(seed, v.shape().toArray())).sum();
  }
}
