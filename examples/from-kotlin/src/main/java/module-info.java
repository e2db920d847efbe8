module org.example.parity {
  requires carousel.nn;
  requires kotlin.stdlib;

  opens org.example to
      carousel.nn; // finds weights in records
}
