package carousel.zoo.draw;

import carousel.zoo.draw.Diagram.Edge;
import carousel.zoo.draw.Diagram.Node;
import java.util.ArrayList;
import java.util.List;

/** One step of a peephole LSTM, forward and backward, as a tracer would give it: over 100 nodes. */
final class LstmDiagram {
  private final List<Node> nodes = new ArrayList<>();
  private final List<Edge> edges = new ArrayList<>();

  private String add(NodeKind kind, String label, String detail, String... from) {
    var id = "n" + nodes.size();
    nodes.add(new Node(id, label, kind, detail));
    for (var source : from) {
      edges.add(new Edge(source, id, ""));
    }
    return id;
  }

  private String op(String label, String detail, String... from) {
    return add(NodeKind.OPERATION, label, detail, from);
  }

  private String back(String label, String detail, String... from) {
    return add(NodeKind.BACKWARD, label, detail, from);
  }

  private String part(String from, String name) {
    var id = op("narrow", "[N,H]");
    edges.add(new Edge(from, id, name));
    return id;
  }

  /** dz for y = σ(z): g ⊙ y ⊙ (1 − y). */
  private String sigmoidBack(String gradient, String y) {
    var rest = back("1 − y", "[N,H]", y);
    return back("mul", "[N,H]", back("mul", "[N,H]", gradient, y), rest);
  }

  /** dz for y = tanh z: g ⊙ (1 − y²). */
  private String tanhBack(String gradient, String y) {
    return back("mul", "[N,H]", gradient, back("1 − y", "[N,H]", back("square", "[N,H]", y)));
  }

  static Diagram peephole() {
    return new LstmDiagram().build();
  }

  private Diagram build() {
    var x = add(NodeKind.INPUT, "x", "[N,D]");
    var h = add(NodeKind.INPUT, "h'", "[N,H]");
    var c = add(NodeKind.INPUT, "c'", "[N,H]");
    var wx = add(NodeKind.PARAMETER, "wx", "[D,4H]");
    var wh = add(NodeKind.PARAMETER, "wh", "[H,4H]");
    var b = add(NodeKind.PARAMETER, "b", "[4H]");
    var p = new String[3];
    for (var i = 0; i < 3; i++) {
      p[i] = add(NodeKind.PARAMETER, "p" + "ifo".charAt(i), "[H]");
    }

    var xw = op("matmul", "[N,4H]", x, wx);
    var hw = op("matmul", "[N,4H]", h, wh);
    var z = op("add", "[N,4H]", op("add", "[N,4H]", xw, hw), b);
    var zi = part(z, "i");
    var zf = part(z, "f");
    var zg = part(z, "g");
    var zo = part(z, "o");
    var i = op("sigmoid", "[N,H]", op("add", "[N,H]", zi, op("mul", "[N,H]", p[0], c)));
    var f = op("sigmoid", "[N,H]", op("add", "[N,H]", zf, op("mul", "[N,H]", p[1], c)));
    var g = op("tanh", "[N,H]", zg);
    var next = op("add", "[N,H]", op("mul", "[N,H]", f, c), op("mul", "[N,H]", i, g));
    var o = op("sigmoid", "[N,H]", op("add", "[N,H]", zo, op("mul", "[N,H]", p[2], next)));
    var t = op("tanh", "[N,H]", next);
    var out = op("mul", "[N,H]", o, t);
    add(NodeKind.OUTPUT, "h", "[N,H]", out);
    add(NodeKind.OUTPUT, "c", "[N,H]", next);

    var dh = add(NodeKind.INPUT, "dh", "[N,H]");
    var dcNext = add(NodeKind.INPUT, "dc", "[N,H]");
    var dzo = sigmoidBack(back("mul", "[N,H]", dh, t), o);
    gradient("dpo", "[H]", back("sum", "[H]", back("mul", "[N,H]", dzo, next)));
    var viaTanh = tanhBack(back("mul", "[N,H]", dh, o), t);
    var dc = back("add", "[N,H]", viaTanh, back("mul", "[N,H]", dzo, p[2]));
    dc = back("add", "[N,H]", dc, dcNext);
    var dzi = sigmoidBack(back("mul", "[N,H]", dc, g), i);
    var dzf = sigmoidBack(back("mul", "[N,H]", dc, c), f);
    var dzg = tanhBack(back("mul", "[N,H]", dc, i), g);
    gradient("dpi", "[H]", back("sum", "[H]", back("mul", "[N,H]", dzi, c)));
    gradient("dpf", "[H]", back("sum", "[H]", back("mul", "[N,H]", dzf, c)));
    var dcPrev = back("mul", "[N,H]", dc, f);
    dcPrev = back("add", "[N,H]", dcPrev, back("mul", "[N,H]", dzi, p[0]));
    dcPrev = back("add", "[N,H]", dcPrev, back("mul", "[N,H]", dzf, p[1]));
    gradient("dc'", "[N,H]", dcPrev);
    var dz =
        back(
            "add",
            "[N,4H]",
            back("add", "[N,4H]", back("pad", "[N,4H]", dzi), back("pad", "[N,4H]", dzf)),
            back("add", "[N,4H]", back("pad", "[N,4H]", dzg), back("pad", "[N,4H]", dzo)));
    gradient("db", "[4H]", back("sum", "[4H]", dz));
    gradient("dwx", "[D,4H]", back("matmul", "[D,4H]", back("transpose", "[D,N]", x), dz));
    gradient("dwh", "[H,4H]", back("matmul", "[H,4H]", back("transpose", "[H,N]", h), dz));
    gradient("dx", "[N,D]", back("matmul", "[N,D]", dz, back("transpose", "[4H,D]", wx)));
    gradient("dh'", "[N,H]", back("matmul", "[N,H]", dz, back("transpose", "[4H,H]", wh)));
    return new Diagram("One step of the peephole LSTM, forward and backward", nodes, edges);
  }

  private void gradient(String label, String detail, String from) {
    add(NodeKind.GRADIENT, label, detail, from);
  }
}
