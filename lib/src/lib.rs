//! patchbay
