package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.random;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.Parameter;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Backpropagation through time as it is derived by hand, in plain tensor code, against autograd. The
 * loss is {@code Σ_t dHs_t ⊙ H_t}.
 */
class BackwardFormulasTest {
  private static final int T = 4;
  private static final int N = 3;

  /** An array of zeros that products are added to. */
  private static final class Sum {
    private Tensor value;

    Sum(Tensor like) {
      value = like.zerosLike();
    }

    void add(Tensor x) {
      value = value.add(x);
    }
  }

  private static void same(Map<String, Tensor> byHand, List<Tensor> inputs, List<Tensor> gradient) {
    int i = 0;
    for (var entry : byHand.entrySet()) {
      assertThat(entry.getValue().shape()).isEqualTo(inputs.get(i).shape());
      assertThat(entry.getValue().sub(gradient.get(i++)).abs().max().item())
          .as(entry.getKey())
          .isLessThan(1e-12);
    }
  }

  private static List<Tensor> gradients(
      Sequence layer, Tensor dHs, RecurrentState start, List<Tensor> by) {
    var g =
        Grad.of(
            () -> layer.run(by.getFirst(), List.of(start), null).y().mul(dHs).sum(),
            by.toArray(Tensor[]::new));
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < g.size(); i++) {
      all.add(g.get(i));
    }
    return all;
  }

  /** f′ as a function of f's value. */
  private static Tensor slope(Activation f, Tensor value) {
    return switch (f) {
      case TANH -> value.square().neg().add(1);
      case RELU -> value.gt(0).cast(value.dtype());
      case IDENTITY -> value.onesLike();
    };
  }

  /** dHnext = dH'prev + dHs; A3 = f' ⊙ dHnext; dHprev = A3·Whᵀ. */
  @ParameterizedTest
  @EnumSource(Activation.class)
  void elman(Activation f) {
    try (var scope = TensorScope.open()) {
      Tensor x = random(1, T, N, D);
      Tensor h0 = random(2, N, H);
      Tensor dHs = random(3, T, N, H);
      var cell = new Elman(f, parameter(4, D, H), parameter(5, H, H), parameter(6, H));
      Tensor wx = cell.wx().value();
      Tensor wh = cell.wh().value();

      List<Tensor> h = new ArrayList<>(List.of(h0));
      for (int t = 0; t < T; t++) {
        Tensor a = x.select(0, t).matmul(wx).add(h.get(t).matmul(wh)).add(cell.b().value());
        h.add(f.apply(a));
      }
      var dWx = new Sum(wx);
      var dWh = new Sum(wh);
      var db = new Sum(cell.b().value());
      Tensor[] dX = new Tensor[T];
      Tensor dHprev = h0.zerosLike();
      for (int t = T - 1; t >= 0; t--) {
        Tensor dHnext = dHprev.add(dHs.select(0, t));
        Tensor a3 = slope(f, h.get(t + 1)).mul(dHnext);
        dX[t] = a3.matmul(wx.transpose(0, 1));
        dWx.add(x.select(0, t).transpose(0, 1).matmul(a3));
        dWh.add(h.get(t).transpose(0, 1).matmul(a3));
        db.add(a3.sum(0));
        dHprev = a3.matmul(wh.transpose(0, 1));
      }
      var by = List.of(x, h0, wx, wh, cell.b().value());
      var byHand = new LinkedHashMap<String, Tensor>();
      byHand.put("x", Tensor.stack(List.of(dX), 0));
      byHand.put("h0", dHprev);
      byHand.put("wx", dWx.value);
      byHand.put("wh", dWh.value);
      byHand.put("b", db.value);
      same(byHand, by, gradients(Recurrent.of(cell), dHs, new HiddenState(h0), by));
    }
  }

  private static Parameter parameter(long seed, int... dims) {
    return Parameter.of(random(seed, dims).mul(0.7));
  }

  /**
   * A2 = (1 − tanh²C) ⊙ O ⊙ dHnext; dC = A2 + dCnext, and with peepholes + dÕ·p_o; dC' = F ⊙ dC, and
   * with peepholes + dF̃·p_f + dĨ·p_i. Ã is A before its nonlinearity.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void lstm(boolean peepholes) {
    try (var scope = TensorScope.open()) {
      Tensor x = random(1, T, N, D);
      Tensor h0 = random(2, N, H);
      Tensor c0 = random(3, N, H);
      Tensor dHs = random(4, T, N, H);
      Parameter wx = parameter(5, D, 4 * H);
      Parameter wh = parameter(6, H, 4 * H);
      Parameter b = parameter(7, 4 * H);
      double scale = peepholes ? 0.7 : 0;
      Tensor pi = random(8, H).mul(scale);
      Tensor pf = random(9, H).mul(scale);
      Tensor po = random(10, H).mul(scale);

      List<Tensor> h = new ArrayList<>(List.of(h0));
      List<Tensor> c = new ArrayList<>(List.of(c0));
      List<List<Tensor>> gates = new ArrayList<>();
      for (int t = 0; t < T; t++) {
        Tensor z = x.select(0, t).matmul(wx.value()).add(h.get(t).matmul(wh.value()));
        var a = z.add(b.value()).chunk(4, Tensor.LAST); // i f g o
        Tensor i = a.get(0).add(pi.mul(c.get(t))).sigmoid();
        Tensor f = a.get(1).add(pf.mul(c.get(t))).sigmoid();
        Tensor g = a.get(2).tanh();
        c.add(f.mul(c.get(t)).add(i.mul(g)));
        Tensor o = a.get(3).add(po.mul(c.get(t + 1))).sigmoid();
        h.add(o.mul(c.get(t + 1).tanh()));
        gates.add(List.of(i, f, g, o));
      }
      var dWx = new Sum(wx.value());
      var dWh = new Sum(wh.value());
      var db = new Sum(b.value());
      var dpi = new Sum(pi);
      var dpf = new Sum(pf);
      var dpo = new Sum(po);
      Tensor[] dX = new Tensor[T];
      Tensor dHprev = h0.zerosLike();
      Tensor dCprev = c0.zerosLike();
      for (int t = T - 1; t >= 0; t--) {
        Tensor i = gates.get(t).get(0);
        Tensor f = gates.get(t).get(1);
        Tensor g = gates.get(t).get(2);
        Tensor o = gates.get(t).get(3);
        Tensor tanhC = c.get(t + 1).tanh();
        Tensor dHnext = dHprev.add(dHs.select(0, t));
        Tensor dO = dHnext.mul(tanhC).mul(o).mul(o.neg().add(1));
        Tensor a2 = tanhC.square().neg().add(1).mul(o).mul(dHnext);
        Tensor dC = a2.add(dCprev).add(dO.mul(po));
        Tensor dF = dC.mul(c.get(t)).mul(f).mul(f.neg().add(1));
        Tensor dI = dC.mul(g).mul(i).mul(i.neg().add(1));
        Tensor dG = dC.mul(i).mul(g.square().neg().add(1));
        dCprev = f.mul(dC).add(dF.mul(pf)).add(dI.mul(pi));
        Tensor dZ = Tensor.concat(List.of(dI, dF, dG, dO), 1);
        dHprev = dZ.matmul(wh.value().transpose(0, 1));
        dX[t] = dZ.matmul(wx.value().transpose(0, 1));
        dWx.add(x.select(0, t).transpose(0, 1).matmul(dZ));
        dWh.add(h.get(t).transpose(0, 1).matmul(dZ));
        db.add(dZ.sum(0));
        dpi.add(dI.mul(c.get(t)).sum(0));
        dpf.add(dF.mul(c.get(t)).sum(0));
        dpo.add(dO.mul(c.get(t + 1)).sum(0));
      }
      var byHand = new LinkedHashMap<String, Tensor>();
      byHand.put("x", Tensor.stack(List.of(dX), 0));
      byHand.put("h0", dHprev);
      byHand.put("c0", dCprev);
      byHand.put("wx", dWx.value);
      byHand.put("wh", dWh.value);
      byHand.put("b", db.value);
      List<Tensor> by = new ArrayList<>(List.of(x, h0, c0, wx.value(), wh.value(), b.value()));
      Cell<LstmState> cell = new Lstm(wx, wh, b);
      if (peepholes) {
        var p = List.of(Parameter.of(pi), Parameter.of(pf), Parameter.of(po));
        cell = new PeepholeLstm(wx, wh, b, p.get(0), p.get(1), p.get(2));
        p.forEach(parameter -> by.add(parameter.value()));
        byHand.put("pi", dpi.value);
        byHand.put("pf", dpf.value);
        byHand.put("po", dpo.value);
      }
      same(byHand, by, gradients(Recurrent.of(cell), dHs, new LstmState(h0, c0), by));
    }
  }
}
