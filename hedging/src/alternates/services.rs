//! The services, in an array or a vector.

/// Services of one type: an array, or a `Vec`.
///
/// An array is cloned for each request without an allocation.
pub trait Services: Clone {
    /// The type.
    type Service: Clone;

    /// How many there are.
    fn count(&self) -> usize;

    /// The one at that place, which is below the count.
    fn at(&mut self, place: usize) -> &mut Self::Service;
}

impl<S: Clone, const N: usize> Services for [S; N] {
    type Service = S;

    fn count(&self) -> usize {
        N
    }

    fn at(&mut self, place: usize) -> &mut S {
        &mut self[place]
    }
}

impl<S: Clone> Services for Vec<S> {
    type Service = S;

    fn count(&self) -> usize {
        self.len()
    }

    fn at(&mut self, place: usize) -> &mut S {
        &mut self[place]
    }
}

/// Puts a clone in the place of a service, which gives back what that has reserved, such as a permit.
pub(super) fn renew<V: Services>(services: &mut V, place: usize) {
    let service = services.at(place);
    *service = service.clone();
}
