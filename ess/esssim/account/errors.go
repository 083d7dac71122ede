package account

import "fmt"

// Error is an error of Alibaba's API: an HTTP status, a code and a message, as the
// public error tables of ESS and ECS list them.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func errGroupNotFound() error {
	return &Error{404, "InvalidScalingGroupId.NotFound", "The specified scaling group does not exist."}
}

func errInstanceNotFound(id string) *Error {
	return &Error{404, "InvalidInstanceId.NotFound", fmt.Sprintf("Instance %q does not exist.", id)}
}

func errGroupStatus() error {
	return &Error{400, "IncorrectScalingGroupStatus", "The current status of the specified scaling group does not support this action."}
}

func errInstanceStatus(id string) *Error {
	return &Error{400, "IncorrectInstanceStatus", fmt.Sprintf("The current status of instance %q does not support this action.", id)}
}

func errActivityInProgress() error {
	return &Error{400, "ScalingActivityInProgress", "You cannot delete a scaling group or launch a new scaling activity while there is a scaling activity in progress for the specified scaling group."}
}

func errBelowMin() error {
	return &Error{400, "IncorrectCapacity.MinSize", "To remove the instances, the total capacity will be lesser than the MinSize."}
}

func errNoChange() error {
	return &Error{400, "IncorrectCapacity.NoChange", "To execute the specified scaling rule, the total capacity will not change."}
}

func errTokenMismatch() error {
	return &Error{400, "IdempotentParameterMismatch", "The request uses the same client token as a previous, but non-identical request."}
}

// ErrInvalid is InvalidParameter for the named parameter.
func ErrInvalid(parameter, why string) error {
	return &Error{400, "InvalidParameter", fmt.Sprintf("The specified value of parameter %q is not valid: %s.", parameter, why)}
}

// ErrMissing is MissingParameter for the named parameter.
func ErrMissing(parameter string) error {
	return &Error{400, "MissingParameter", fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", parameter)}
}

func errConflicting(one, other string) error {
	return &Error{400, "InvalidParameter.Conflict", fmt.Sprintf("The value of parameter %s and parameter %s are in conflict.", one, other)}
}
