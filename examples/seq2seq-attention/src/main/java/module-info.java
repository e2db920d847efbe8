module org.example.dates {
  requires carousel.nn;

  opens org.example to
      carousel.nn; // finds weights in records that are not public
}
