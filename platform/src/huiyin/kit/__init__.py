"""Small things that know nothing of complaints."""
