package account

// NoteJoined says that an instance has registered as a node of a cluster. A machine
// does so once: whoever deletes its node later does not bring it back.
func (a *Account) NoteJoined(instanceID string) error {
	leave, err := a.enterToChange("NoteJoined", instanceID)
	if err != nil {
		return err
	}
	defer leave()
	i, ok := a.instances[instanceID]
	if !ok {
		return errInstanceNotFound(instanceID)
	}
	i.joined = true
	return nil
}
